-- Which records a change touched, as a JSON array of `kind/id`; NULL: more than are worth naming, or nobody said. What was
-- made of many records is made again only for these.
ALTER TABLE change ADD COLUMN records TEXT;
