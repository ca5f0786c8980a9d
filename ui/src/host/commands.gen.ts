// Made from the list of commands in src-tauri/crates/api. Do not edit: run `make types`.

export type Admit = { device: string, roles: Array<string>, 
/**
 * Yourself, when this is your own further computer.
 */
member?: string, };
export type AgreeClass = { project: string, 
/**
 * The statement's operation.
 */
proposal: string, reason: string, };
export type Alarmed = { device: string, person: Person, 
/**
 * `missing`, `rewound`, `rewritten` or `withheld`.
 */
kind: string, sentence: string, since_ms: number, };
export type Alias = { alias: string, version: string, };
export type Answer = { value: string, base: string | null, };
export type AnswerChallenge = { release: string, 
/**
 * The challenge's operation.
 */
challenge: string, reason: string, };
export type AnswerProblem = { project: string, question: string, value: string, 
/**
 * The operations of the versions shown, with spaces between.
 */
base?: string, 
/**
 * For the risk class: why. Left out: the reason that stands in the form, or what follows from the answers.
 */
reason?: string, };
export type Answered = { kind: QuestionKind, required: boolean, heading: string, question: string, example: string, answer: Field, };
export type ApiError = { code: string, message: string, hint?: string, details?: string, };
export type AppStatus = { version: string, 
/**
 * None: the first run.
 */
workspace: WorkspaceInfo | null, 
/**
 * Whether the system keyring answers; if not, a passphrase is needed.
 */
keyring: boolean, roles: Array<RoleName>, 
/**
 * The address that training scripts log to, while it answers.
 */
tracking: string | null, demo: boolean, 
/**
 * Why the workspace that was to be opened at the start is not open.
 */
trouble: ApiError | null, };
export type Around = { here: Node, 
/**
 * What it comes from or is part of.
 */
from: Array<Edge>, 
/**
 * What came of it.
 */
to: Array<Edge>, 
/**
 * Neighbours beyond those listed.
 */
more: number, };
export type AroundQuery = { subject: SubjectRef, };
export type ArtifactRow = { path: string, 
/**
 * Of a reference: nobody may know it.
 */
size: number | null, digest: string | null, 
/**
 * Whether this computer holds the content.
 */
here: boolean, 
/**
 * Where a file lies that the workspace does not hold.
 */
address: string | null, };
export type Assess = { scale: string, 
/**
 * By the statements' ids; what is left out is not answered.
 */
answers: { [key in string]: GivenAnswer }, };
export type Assessed = { id: string, level: number, };
export type Assessment = { id: string, by: Person, at_ms: number, level: number, yes: number, partly: number, no: number, };
export type AssignChecklist = { checklist: string, 
/**
 * Empty: the whole handoff.
 */
item: string, 
/**
 * None: nobody in particular.
 */
to?: PartyRef, };
export type AssignFinding = { finding: string, 
/**
 * None: nobody.
 */
to?: PartyRef, 
/**
 * A day, `2026-11-25`; none: no day.
 */
due?: string, };
export type AttachFile = { subject: SubjectRef, name: string, 
/**
 * The file, base64.
 */
content: string, };
export type Attached = { digest: string, 
/**
 * To be put into a text.
 */
markdown: string, };
export type Band = "std_dev" | "std_err" | "min_max" | "quartiles" | "wide" | "none";
export type BetterIs = "unsaid" | "higher" | "lower";
export type BlockChecklist = { checklist: string, 
/**
 * What it waits for; none: it can go on.
 */
reason?: string, };
export type BlockView = { 
/**
 * Such as `deleted`; scripts may tell reasons by it.
 */
code: string, sentence: string, };
export type Blocked = { why: string, by: Person, at_ms: number, };
export type BoundView = { name: string, sha256: string, };
export type BrowseCharts = { of: RunSet, 
/**
 * Only names that hold all of these words.
 */
search?: string, };
export type BuilderView = { person: Person, made: Array<string>, };
export type Card = { version: string, model: string, number: number, project: string, 
/**
 * Changes with every letter; a sign-off binds to it.
 */
digest: string, sections: Array<CardSection>, 
/**
 * Titles of required sections that are empty.
 */
missing: Array<string>, };
export type CardSection = { id: string, title: string, question: string, required: boolean, from_run: boolean, owner: RoleName, source: string, text: string, 
/**
 * What is read, safe to show, with charts in their places.
 */
parts: Array<NotePart>, base: string | null, edited_by: Person | null, edited_ms: number | null, versions: Array<Version>, };
export type CellPair = { 
/**
 * `same`, `outputs` (only they differ), `changed`, `removed` or `added`.
 */
change: string, left: CellView | null, right: CellView | null, 
/**
 * What the edit changed in the text of the cell.
 */
lines: Array<LineChange>, };
export type CellView = { 
/**
 * Its place, from 1.
 */
number: number, pieces: Array<NotebookPiece>, };
export type ChallengeView = { 
/**
 * The operation, by which it is answered.
 */
id: string, sentence: string, by: Person, at_ms: number, answered: boolean, 
/**
 * Until when it must be answered: counted from when somebody who may answer it could know of it. None: nobody could yet.
 */
due_ms: number | null, 
/**
 * I may answer it.
 */
mine_to_answer: boolean, };
export type Change = { by: Person, 
/**
 * To stand after the name.
 */
sentence: string, subject: SubjectRef | null, subject_title: string, project: string | null, project_title: string | null, why: string | null, at_ms: number, 
/**
 * In a project of mine, or about something that I wrote.
 */
mine: boolean, };
export type ChangeSetting = { 
/**
 * `shared_file_max`, `object_store` or `stored_file_max`.
 */
setting: string, value: string, };
export type Chart = { 
/**
 * Empty where the window shows it itself: pictures by step, tables.
 */
svg: string, title: string, 
/**
 * One sentence that says what is to be seen.
 */
summary: string, 
/**
 * What could not be shown, and why.
 */
notes: Array<string>, 
/**
 * Left, top, right, bottom of the plot in CSS pixels.
 */
area: [number, number, number, number], x: ChartAxis, y: ChartAxis, 
/**
 * Whether its x axis can be zoomed into.
 */
zoom: boolean, series: Array<ChartSeries>, 
/**
 * Kinds of series that share a look, such as the points of a group; empty: the series are the legend.
 */
legend: Array<ChartSeries>, 
/**
 * Places that say something when pointed at; of lines they come with the values.
 */
marks: Array<Mark>, 
/**
 * The axes of parallel coordinates.
 */
columns: Array<ParallelColumn>, points: number, drawn: number, 
/**
 * Whether all points are on this computer; else the signed outline was drawn.
 */
complete: boolean, };
export type ChartAxis = { label: string, from: number, to: number, log: boolean, 
/**
 * `number`, `time`, `duration` or `names`.
 */
measure: string, };
export type ChartFormat = "svg" | "png" | "pdf" | "csv";
export type ChartKind = "lines" | "bars" | "box" | "violin" | "histogram" | "scatter" | "contour" | "parallel" | "importance" | "correlation" | "distribution" | "confusion" | "roc" | "precision_recall" | "calibration" | "cost" | "residuals" | "images" | "table";
export type ChartSeries = { name: string, runs: Array<string>, 
/**
 * `#rrggbb`.
 */
colour: string, 
/**
 * As SVG's `stroke-dasharray`; empty: a whole line.
 */
dash: string, 
/**
 * Its last value, as people read it.
 */
last: string, 
/**
 * By how much that is more or less than the baseline's: `+0.02`; empty where there is no baseline.
 */
delta: string, 
/**
 * Whether it is the baseline.
 */
baseline: boolean, 
/**
 * Of lines the metric.
 */
metric: string, };
export type ChartSpec = { kind: ChartKind, 
/**
 * Empty: made from what it shows.
 */
title: string, 
/**
 * Names of metrics: lines, bars, boxes.
 */
metrics: Array<string>, 
/**
 * Lines: `step`, `time`, `relative` or `metrics.<name>`. Else a column.
 */
x: string, y: string, 
/**
 * Scatter: the size of its points.
 */
size: string, 
/**
 * Scatter, contour, parallel: what the colour says.
 */
shade: string, columns: Array<string>, 
/**
 * Columns by which runs are brought together.
 */
group: Array<string>, band: Band, smoothing: Smoothing, amount: number, log_x: boolean, log_y: boolean, 
/**
 * The axis leaves out the lowest and highest twentieth.
 */
ignore_outliers: boolean, better: BetterIs, 
/**
 * Predictions: the file in the run, and its columns.
 */
file: string, truth: string, said: string, 
/**
 * The class that counts as positive.
 */
positive: string, 
/**
 * The run that others are measured by.
 */
baseline: string, 
/**
 * What answers cost: for charts of costs.
 */
costs: Costs | null, };
export type ChartValues = { series: Array<ValueSeries>, table: ValueTable, };
export type Checklist = { id: string, project: string, gate: string, 
/**
 * The lifecycle that it began with.
 */
template: string, title: string, from: RoleName, to: RoleName, cycle: number, 
/**
 * `open`, `picked_up`, `handed_back`, `completed` (handed over), `received` or `accepted`.
 */
state: string, holder: Person | null, mine: boolean, 
/**
 * Who else picked it up at the same time, neither knowing of the other; the later claim stands.
 */
also_claimed: Array<Person>, 
/**
 * Who took it, of those to whom it was handed.
 */
receiver: Person | null, receiving: boolean, 
/**
 * I hold the role that it is handed to, or it was given to me.
 */
i_may_receive: boolean, assigned: PartyName | null, 
/**
 * A day, `2026-11-25`.
 */
due: string | null, 
/**
 * What it waits for, and who said so.
 */
blocked: Blocked | null, 
/**
 * Questions about it that nobody answered.
 */
questions: number, 
/**
 * Why it was handed back last.
 */
handed_back_why: string | null, items: Array<ChecklistItem>, 
/**
 * How many blocking items are still open.
 */
blocking: number, done: number, };
export type ChecklistItem = { id: string, text: string, role: RoleName, kind: string, blocks: boolean, source: string, done: boolean, comment: string, evidence: Array<EvidenceLink>, by: Person | null, at_ms: number | null, 
/**
 * Of items that Cairn sees in its records: what it saw, or what is missing. Nobody ticks these.
 */
said: string | null, 
/**
 * Nobody in the workspace holds the role, so nobody can do it.
 */
nobody: boolean, assigned: PartyName | null, due: string | null, 
/**
 * I may tick it now.
 */
i_may_do: boolean, };
export type ChecklistRef = { checklist: string, };
export type ClassStatement = { 
/**
 * The operation, by which somebody agrees to it.
 */
id: string, class: string, by: Person, at_ms: number, reason: string, 
/**
 * Why it does not hold, where it does not.
 */
open: string | null, 
/**
 * I could agree to it.
 */
i_may_agree: boolean, };
export type Clean = { 
/**
 * Of runs that were deleted at least so many days ago; 30 when left out.
 */
days?: number, 
/**
 * False: only say what would be freed.
 */
now?: boolean, };
export type CodeDifference = { 
/**
 * From the first run's commit to the second's, as git says it; none: the same commit, or not to be had.
 */
commits: string | null, 
/**
 * Why the commits could not be compared.
 */
why: string | null, 
/**
 * How what was not committed differs, line by line; none: it does not.
 */
changes: string | null, };
export type ColumnView = { name: string, dtype: string, missing: number, distinct: number | null, 
/**
 * As text: every digit, and no rounding on the way.
 */
min: string | null, mean: string | null, max: string | null, };
export type Comment = { id: string, by: Person, mine: boolean, at_ms: number, 
/**
 * None: never changed.
 */
edited_ms: number | null, text: string, html: string, base: string, versions: Array<Version>, };
export type CommentsAbout = { about: SubjectRef, };
export type CompareNotebooks = { left: FileRef, right: FileRef, };
export type CompareRuns = { of: RunSet, 
/**
 * The run that the others are measured by; the first when left out.
 */
baseline?: string, 
/**
 * The metric that decides; the likeliest when left out.
 */
metric?: string, 
/**
 * Whether more or less of it is better.
 */
better: BetterIs, };
export type ComparedMetric = { name: string, 
/**
 * `higher`, `lower`, or empty.
 */
better: string, last: Array<string | null>, 
/**
 * The best value that it ever had; of metrics whose direction is not known, none.
 */
best: Array<string | null>, 
/**
 * The last value minus the baseline's.
 */
delta: Array<number | null>, 
/**
 * The places of the runs with the best last value.
 */
winners: Array<number>, differs: boolean, };
export type ComparedRow = { name: string, 
/**
 * None: the run has none.
 */
values: Array<string | null>, differs: boolean, };
export type ComparedRun = { id: string, name: string, experiment: string, project: string | null, status: string, start_ms: number, duration_ms: number | null, 
/**
 * What it was set to where the runs differ, without seeds: runs of one setting repeat each other.
 */
setting: string, };
export type Comparison = { runs: Array<ComparedRun>, baseline: string, 
/**
 * The metric that decides.
 */
metric: string | null, 
/**
 * Which is better on what, in a sentence or two.
 */
verdict: string, 
/**
 * How sure that is, and what it rests on.
 */
certainty: string, 
/**
 * Whether chance alone would hardly explain it.
 */
sure: boolean, 
/**
 * What is not shown, and why.
 */
notes: Array<string>, metrics: Array<ComparedMetric>, 
/**
 * Metrics beyond those that are here.
 */
more_metrics: number, params: Array<ComparedRow>, tags: Array<ComparedRow>, code: Array<ComparedRow>, environment: Array<ComparedRow>, 
/**
 * Packages whose versions differ.
 */
packages: Array<ComparedRow>, data: Array<ComparedRow>, files: Array<ComparedRow>, };
export type CompleteFilter = { text: string, 
/**
 * Where the cursor is, counted in characters.
 */
cursor: number, };
export type Completion = { text: string, 
/**
 * What it is, in a word or two.
 */
about: string, };
export type Completions = { 
/**
 * What a suggestion takes the place of, in characters.
 */
from: number, to: number, suggestions: Array<Completion>, };
export type CostModel = { currency: string, false_positive: number | null, false_negative: number | null, true_positive: number | null, cases_per_month: number | null, threshold: Answer, threshold_reason: Answer, };
export type Costs = { currency: string, false_positive: number, false_negative: number, true_positive: number, true_negative: number, 
/**
 * The score that was agreed on, if one was.
 */
threshold: number | null, };
export type CreateProject = { title: string, problem?: string, hypothesis?: string, value_metric?: string, risk_class?: string, 
/**
 * The lifecycle that it keeps to; the standard one when left out.
 */
template?: string, };
export type CreateWorkspace = { name: string, person: string, email: string, 
/**
 * Working roles; the founder is owner and administrator besides.
 */
roles: Array<string>, remote?: string, dir?: string, 
/**
 * Keeps the device key in an encrypted file instead of the keyring.
 */
passphrase?: string, };
export type CriteriaPage = { project: string, cycle: number, 
/**
 * The newest first; those of earlier cycles too.
 */
sets: Array<CriteriaSet>, 
/**
 * Test data that is known by digest.
 */
data: Array<TestData>, 
/**
 * Metrics that the project's runs logged.
 */
metrics: Array<string>, };
export type CriteriaSet = { id: string, cycle: number, criteria: Array<CriterionView>, by: Person, at_ms: number, 
/**
 * `stands`, `replaced` or `past` (of an earlier cycle).
 */
state: string, 
/**
 * What a signature binds to.
 */
digest: string, signatures: Array<CriteriaSignature>, 
/**
 * The roles in which I could sign now.
 */
i_may_sign_as: Array<RoleName>, 
/**
 * `unsigned`, `untested`, `before`, `after` or `unproven`.
 */
proof: string, 
/**
 * What is proven, in a sentence.
 */
said: string, runs: Array<EvidenceLink>, };
export type CriteriaSignature = { by: Person, role: RoleName, 
/**
 * The signer's claim, RFC 3339.
 */
claimed_at: string, at_ms: number, 
/**
 * Over exactly this set.
 */
fits: boolean, };
export type CriterionText = { metric: string, slice: string, 
/**
 * `at_least` or `at_most`.
 */
comparator: string, threshold: string, 
/**
 * Per cent or share: `95` and `0.95` are the same.
 */
level: string, data: string, digest: string, };
export type CriterionView = { metric: string, slice: string, 
/**
 * `at_least` or `at_most`.
 */
comparator: string, threshold: string, level: string, data: string, digest: string, 
/**
 * In one line.
 */
words: string, 
/**
 * `passed`, `failed` or `inconclusive`; none: not evaluated.
 */
verdict: string | null, value: number | null, low: number | null, high: number | null, count: number | null, run: string | null, 
/**
 * Where the interval comes from, or why there is none.
 */
said: string, };
export type CycleScore = { cycle: number, score: number, };
export type CycleView = { cycle: number, trigger: TriggerView | null, steps: Array<Step>, };
export type Dataset = { id: string, name: string, 
/**
 * Newest first.
 */
versions: Array<DatasetVersion>, };
export type DatasetLink = { id: string, title: string, digest: string, };
export type DatasetVersion = { id: string, number: number, file: string, digest: string, size: number, rows: number, columns: Array<ColumnView>, by: Person, at_ms: number, };
export type DateChecklist = { checklist: string, 
/**
 * Empty: the whole handoff.
 */
item: string, 
/**
 * A day, `2026-11-25`; none: no day.
 */
due?: string, };
export type DeclineRequest = { device: string, reason: string, };
export type DeleteRecord = { subject: SubjectRef, 
/**
 * Undo of a deletion.
 */
restore: boolean, 
/**
 * Required for what others build on: it stays beside the mark.
 */
reason?: string, };
export type Deployment = { id: string, version: string, title: string, environment: string, by: Person, at_ms: number, 
/**
 * The newest of its environment.
 */
current: boolean, };
export type DeviceRow = { id: string, name: string, removed: boolean, 
/**
 * How it came to be removed: `retired`, `compromised`, `sealed` or `rotated`.
 */
ended: string | null, 
/**
 * What was written after it was removed and is held.
 */
held: number, this_one: boolean, };
export type DeviceSeen = { device: string, name: string, person: Person, last_seen_ms: number | null, this_one: boolean, removed: boolean, };
export type DeviceView = { member: string, 
/**
 * After this operation nothing of it counts.
 */
cut: number | null, };
export type DrawChart = { spec: ChartSpec, of: RunSet, 
/**
 * CSS pixels, 120 to 4,000.
 */
width: number, height: number, dark: boolean, 
/**
 * The part that is looked at: from and to of x, in its own units; all when left out.
 */
view?: [number, number], 
/**
 * The same of y.
 */
view_y?: [number, number], };
export type Drawable = { metrics: Array<DrawableMetric>, 
/**
 * How many metrics there are in all that fit.
 */
metrics_total: number, params: Array<DrawableParam>, tags: Array<string>, histograms: Array<string>, 
/**
 * Pictures by step, by name.
 */
pictures: Array<string>, 
/**
 * Files that may hold predictions.
 */
tables: Array<string>, runs: number, 
/**
 * The metric that most likely says which run is better.
 */
target: string | null, };
export type DrawableMetric = { name: string, 
/**
 * How many of the runs have it.
 */
runs: number, 
/**
 * The most points that a run has of it.
 */
points: number, 
/**
 * `higher`, `lower`, or empty where its name does not tell.
 */
better: string, };
export type DrawableParam = { name: string, 
/**
 * How many different values it has.
 */
values: number, };
export type EarlierView = { 
/**
 * The sign-off, by which a request answers it.
 */
signoff: string, release: string, project_title: string, by: Person, role: RoleName, decision: string, reason: string, at_ms: number, 
/**
 * That role must approve in knowledge of it.
 */
blocks: boolean, 
/**
 * What the request says to it.
 */
answer: string | null, };
export type Edge = { 
/**
 * Such as "made by" or "mentioned in".
 */
how: string, node: Node, };
export type EditCard = { version: string, section: string, text: string, base?: string, };
export type EditComment = { comment: string, text: string, base: string, };
export type EditProject = { project: string, field: string, value: string, base?: string, 
/**
 * Required for another risk class.
 */
reason?: string, };
export type Elsewhere = { 
/**
 * What I asked others for, and they have not done yet.
 */
asked: Array<InboxItem>, 
/**
 * What others did since I looked, the newest first.
 */
changed: Array<Change>, 
/**
 * More than are listed.
 */
more: boolean, 
/**
 * The same to be read in a minute.
 */
digest: Array<string>, 
/**
 * When I looked last; none: never.
 */
looked_ms: number | null, };
export type EndProject = { project: string, 
/**
 * `completed` or `cancelled`; none: taken up again.
 */
ending?: string, reason: string, };
export type Ended = { 
/**
 * `completed` or `cancelled`.
 */
ending: string, why: string, by: Person, at_ms: number, };
export type EnterStage = { project: string, 
/**
 * The next stage, or an earlier one.
 */
stage: string, 
/**
 * Required when something is missing (a waiver), or when moving back.
 */
reason?: string, };
export type EvidenceLink = { kind: string, id: string, title: string, };
export type Experiment = { id: string, 
/**
 * The whole number that MLflow's clients on this computer see.
 */
number: number, name: string, project: string | null, runs: number, running: number, created_ms: number, };
export type ExportAudit = { 
/**
 * A folder that does not exist yet, or is empty.
 */
dir: string, 
/**
 * An extract: only these entries in the readable trail. The signed history is always whole.
 */
only?: TrailPick, };
export type ExportChart = { chart: DrawChart, format: ChartFormat, 
/**
 * The file to write; left out: one named by the title, among the downloads.
 */
to?: string, };
export type ExportMlflow = { 
/**
 * A new or empty folder.
 */
dir: string, 
/**
 * Only these experiments, by name; all when left out.
 */
experiments?: Array<string>, };
export type Exported = { dir: string, entries: number, 
/**
 * How many there are without the filter.
 */
entries_in_all: number, commits: number, signoffs: number, missing: Array<string>, 
/**
 * What whoever verifies must be told by another way.
 */
fingerprint: string, };
export type ExportedChart = { path: string, title: string, summary: string, 
/**
 * Bytes.
 */
size: number, };
export type ExportedRuns = { dir: string, experiments: number, runs: number, points: number, files: number, 
/**
 * Registered models.
 */
models: number, left_out: Array<string>, };
export type FetchPoints = { run: string, };
export type Fetched = { 
/**
 * Points that came now.
 */
points: number, 
/**
 * Files that the shared place no longer holds; the outline stays.
 */
gone: number, };
export type Field = { name: string, value: string, 
/**
 * The operations of the versions shown, with spaces between.
 */
base: string | null, 
/**
 * More than one: two people changed it without knowing of each other.
 */
versions: Array<Version>, };
export type FileRef = { 
/**
 * The run or logged model that has it; needed for files that stay where they are.
 */
owner?: SubjectRef, 
/**
 * Of content that the workspace holds.
 */
digest?: string, path: string, 
/**
 * Get it from elsewhere whatever its size.
 */
fetch?: boolean, };
export type FileShown = { view: FileView, size: number | null, digest: string | null, 
/**
 * Where a file lies that was referred to.
 */
address: string | null, };
export type FileView = { "kind": "text", text: string, cut: boolean, } | { "kind": "markdown", html: string, cut: boolean, } | { "kind": "html", source: string, cut: boolean, } | { "kind": "table", columns: Array<string>, types: Array<string>, rows: Array<Array<string>>, total: number | null, more_columns: number, } | { "kind": "image", data_url: string, } | { "kind": "audio", data_url: string, } | { "kind": "pages", pictures: Array<string>, total: number, } | { "kind": "notebook", language: string, pieces: Array<NotebookPiece>, more: number, } | { "kind": "binary", } | { "kind": "broken", why: string, } | { "kind": "elsewhere", why: string, hint: string | null, can_fetch: boolean, };
export type FindQuery = { 
/**
 * Words that all must be there. `type:note` and `in:churn` (a word of the project's title) narrow it.
 */
words: string, 
/**
 * Only these kinds; empty: all.
 */
kinds: Array<string>, 
/**
 * At most 100; 20 when left out.
 */
limit?: number, };
export type Finding = { id: string, project: string, title: string, text: string, 
/**
 * The text as it is read.
 */
html: string, base: string, versions: Array<Version>, 
/**
 * What somebody else wrote over it, in earlier programs; the author's words stand.
 */
rewritten: Array<Version>, 
/**
 * I raised it, so I may change what it says.
 */
i_may_reword: boolean, 
/**
 * `low`, `medium` or `high`.
 */
severity: string, about: EvidenceLink | null, by: Person, at_ms: number, assigned: PartyName | null, 
/**
 * A day, `2026-11-25`.
 */
due: string | null, 
/**
 * `fixed`, `accepted` or `no_problem`; none: open.
 */
outcome: string | null, settled_by: Person | null, settled_ms: number | null, settled_why: string | null, i_may_settle: boolean, i_may_accept: boolean, };
export type Found = { kind: string, id: string, title: string, 
/**
 * Where the words stand, with some around; empty where they stand in the title alone.
 */
snippet: string, project: string | null, project_title: string | null, by: Person, at_ms: number, 
/**
 * Of a comment: what it is about.
 */
about: SubjectRef | null, };
export type FreezeNote = { note: string, };
export type Frozen = { 
/**
 * The fingerprint of the file.
 */
digest: string, size: number, 
/**
 * Whether this computer holds it.
 */
here: boolean, };
export type FrozenView = { class: string, policy: string, policy_digest: string, lifecycle: string, lifecycle_digest: string, cycle: number, criteria: Array<BoundView>, 
/**
 * The roles that must approve, as the rule says it.
 */
asks_for: Array<RoleName>, };
export type GateAnswer = { 
/**
 * `pass` or `fail`.
 */
verdict: string, 
/**
 * When this computer last got the latest from the team, RFC 3339; the present where nothing is shared; none: never.
 */
as_of: string | null, 
/**
 * Everything that was found, what stands in the way first.
 */
reasons: Array<GateReason>, 
/**
 * The release's own state: an approved release may be held up by something else.
 */
state: string, sentence: string, model: string, version: number, 
/**
 * The digest of the model's files: a pipeline compares it with what it is about to deploy.
 */
model_digest: string, release: string, risk_class: string, };
export type GateReason = { 
/**
 * Such as `not_approved`, `deleted`, `project_cancelled`, `finding`, `criteria`, `stage`, `old_knowledge`, `challenge`,
 * `independence`.
 */
code: string, sentence: string, 
/**
 * Whether the gate says no because of it.
 */
blocks: boolean, 
/**
 * Until when it must be answered, RFC 3339.
 */
due: string | null, };
export type GivenAnswer = { 
/**
 * `yes`, `partly` or `no`.
 */
met: string, 
/**
 * Markdown; what it links to is the evidence.
 */
note: string, };
export type GroupQuery = { 
/**
 * `experiment`, `status`, `user`, `params.<name>` or `tags.<name>`.
 */
by: string, 
/**
 * A metric whose last values are summed up for each group.
 */
metric?: string, 
/**
 * Only runs of this project's experiments.
 */
project?: string, experiment?: string, 
/**
 * MLflow's filter grammar, such as `metrics.accuracy > 0.9 AND params.model = 'forest'`.
 */
filter?: string, order_by?: string, 
/**
 * At most this many; 1,000 when left out.
 */
limit?: number, };
export type HandBack = { checklist: string, reason: string, };
export type ImportCsv = { project: string, 
/**
 * A file on this computer, or the `.dvc` file that stands for it.
 */
path: string, 
/**
 * An existing dataset's name makes this its next version.
 */
name: string, };
export type ImportSource = { path: string, 
/**
 * `mlflow_db`, `mlflow_folder`, `tensorboard`, `dvclive`, `jsonl`, `trackio`, `wandb`, `neptune`, `dvc`; found out when left out.
 */
format?: string, 
/**
 * Go on taking what is written there.
 */
watch?: boolean, 
/**
 * Do not copy the files of the runs.
 */
without_files?: boolean, };
export type Imported = { source: SourceView, 
/**
 * Runs that had news.
 */
runs: number, points: number, files: number, 
/**
 * What was left out on purpose, and how often.
 */
left_out: Record<string, number>, };
export type InboxItem = { 
/**
 * `decide`, `sign_again`, `alarm`, `handoff`, `handed_back`, `receive`, `item`, `question`, `finding`, `criteria`, `mention`,
 * `next_step`, `admit`, `second` or `deleted`.
 */
kind: string, title: string, 
/**
 * One sentence: what to do and why.
 */
text: string, project: string | null, project_title: string | null, 
/**
 * The release, checklist, finding, device, proposal or (as `kind/id`) record that it is about.
 */
id: string, role: RoleName | null, since_ms: number, 
/**
 * A day, `2026-11-25`.
 */
due: string | null, 
/**
 * The day is over.
 */
overdue: boolean, };
export type InputRow = { name: string, digest: string, context: string, };
export type ItemDone = { checklist: string, item: string, comment: string, evidence: Array<SubjectRef>, };
export type ItemRef = { checklist: string, item: string, };
export type JoinWorkspace = { 
/**
 * An address, or an invitation with the workspace's fingerprint behind `#`.
 */
address: string, person: string, email: string, dir?: string, passphrase?: string, };
export type KeptPage = { sha256: string, 
/**
 * None where it has not arrived on this computer.
 */
html: string | null, };
export type KeptPageRef = { signoff: string, };
export type Knock = { device: string, name: string, email: string, device_name: string, 
/**
 * Four words to compare with those on the other screen.
 */
phrase: string, 
/**
 * Whose further computer it is: an older one of theirs gave its word.
 */
of: string | null, 
/**
 * A member whose name looks the same, with their roles: nobody vouched that this is them.
 */
looks_like: string | null, 
/**
 * Why the name could pass for another.
 */
odd: string | null, };
export type LeadTimes = { 
/**
 * Empty where nothing can be drawn yet.
 */
svg: string, title: string, summary: string, stages: Array<StageTime>, };
export type LeadTimesQuery = { 
/**
 * CSS pixels.
 */
width: number, dark: boolean, };
export type LifecycleChange = { id: string, before: string | null, after: string | null, };
export type LifecycleCheck = { problems: Array<Problem>, 
/**
 * None while there are problems.
 */
view: LifecycleView | null, difference: LifecycleDifference, };
export type LifecycleDifference = { added: Array<LifecycleChange>, removed: Array<LifecycleChange>, changed: Array<LifecycleChange>, };
export type LifecycleItem = { id: string, text: string, role: RoleName, 
/**
 * `records`, `statement` or `tick`.
 */
kind: string, blocks: boolean, source: string, 
/**
 * Nobody in the workspace holds the role.
 */
nobody: boolean, };
export type LifecycleList = { gate: string, title: string, from: RoleName, to: RoleName, items: Array<LifecycleItem>, };
export type LifecyclePair = { from: string, to: string, };
export type LifecycleRef = { id: string, };
export type LifecycleRow = { 
/**
 * What a project names it by; of a team's own this very version.
 */
id: string, name: string, summary: string, 
/**
 * The risk classes that it is meant for.
 */
risk: Array<string>, 
/**
 * The team's own record, to change it; none of those that come with the program.
 */
template: string | null, saved: Saved | null, 
/**
 * Two people changed it without knowing of each other: this is one of the two.
 */
both_changed: boolean, 
/**
 * What a change is based on.
 */
base: string | null, 
/**
 * Projects that keep to this version.
 */
projects: number, 
/**
 * Projects that keep to an earlier version of it.
 */
behind: number, 
/**
 * Nothing new should begin with it: it is there for projects that did.
 */
old: boolean, };
export type LifecycleStage = { id: string, name: string, purpose: string, requirements: Array<LifecycleItem>, };
export type LifecycleText = { text: string, 
/**
 * The lifecycle that it was begun from: what differs is told.
 */
from?: string, };
export type LifecycleView = { id: string, name: string, summary: string, text: string, stages: Array<LifecycleStage>, checklists: Array<LifecycleList>, };
export type LineChange = { 
/**
 * `same`, `added` or `removed`.
 */
what: string, line: string, };
export type Lineage = { went_in: Array<Linked>, came_out: Array<Linked>, 
/**
 * Child runs beyond those that are named.
 */
more_children: number, };
export type LinkExperiment = { experiment: string, 
/**
 * None: belongs to no project.
 */
project?: string, };
export type LinkModel = { model: string, project: string, };
export type Linked = { 
/**
 * `run`, `dataset`, `logged_model`, `model_version` or `code`.
 */
kind: string, id: string, name: string, 
/**
 * What it is to the run, in words; empty where the kind says it.
 */
role: string, 
/**
 * A state that has a word of its own, such as a run's; empty otherwise.
 */
state: string, };
export type LoggedModelRow = { id: string, name: string, status: string, files: number, };
export type Mark = { 
/**
 * The number of its series.
 */
series: number, 
/**
 * CSS pixels.
 */
x: number, y: number, text: Array<string>, };
export type Maturity = { scales: Array<ScaleName>, id: string, name: string, 
/**
 * Whose scale it is.
 */
source: string, 
/**
 * By the newest assessment, from 0; none: nobody has assessed yet.
 */
level: number | null, levels: Array<MaturityLevel>, 
/**
 * The newest first.
 */
assessments: Array<Assessment>, 
/**
 * The level over time; empty where there is nothing to draw.
 */
svg: string, title: string, summary: string, };
export type MaturityLevel = { name: string, summary: string, statements: Array<MaturityStatement>, };
export type MaturityQuery = { 
/**
 * `google/1` or `microsoft/1`.
 */
scale: string, 
/**
 * CSS pixels of the drawing.
 */
width: number, dark: boolean, };
export type MaturityStatement = { id: string, text: string, why: string, example: string, 
/**
 * What the records show now.
 */
seen: Seen | null, 
/**
 * `yes`, `partly` or `no`, in the newest assessment.
 */
met: string | null, note: string, html: string, evidence: Array<EvidenceLink>, };
export type Meaning = { id: string, label: string, };
export type MemberRole = { member: string, role: string, };
export type MemberRow = { id: string, name: string, email: string, roles: Array<RoleName>, devices: Array<DeviceRow>, me: boolean, };
export type MemberView = { name: string, roles: Array<string>, };
export type Members = { members: Array<MemberRow>, 
/**
 * Computers that ask to be let in.
 */
requests: Array<Knock>, 
/**
 * Requests beyond those that are shown.
 */
more_requests: number, 
/**
 * Whether I may let people in and change roles.
 */
i_may_manage: boolean, i_am_owner: boolean, 
/**
 * Decisions that the owners were asked for.
 */
proposals: Array<Proposed>, recovery: RecoveryState, 
/**
 * Changes that had no effect, because somebody of higher standing decided otherwise meanwhile.
 */
without_effect: Array<WithoutEffect>, };
export type Mended = { at_ms: number, sentence: string, 
/**
 * The folder with what was damaged.
 */
aside: string, };
export type MetricRow = { key: string, count: number, last: string, min: string | null, max: string | null, step: number, };
export type Model = { id: string, name: string, 
/**
 * None: a script registered it, and nobody has linked it to a project.
 */
project: string | null, aliases: Array<Alias>, 
/**
 * Newest first.
 */
versions: Array<ModelVersion>, };
export type ModelFile = { path: string, digest: string, };
export type ModelVersion = { id: string, model: string, model_name: string, project: string, number: number, 
/**
 * MLflow's stage, a label that a script set. No approval.
 */
stage: string | null, description: string, tags: { [key in string]: string }, 
/**
 * Empty: it was registered from elsewhere than a run.
 */
run: string, run_name: string, files: Array<ModelFile>, 
/**
 * Over all files: what "this model" means in a signature.
 */
digest: string, datasets: Array<DatasetLink>, card_missing: Array<string>, by: Person, at_ms: number, 
/**
 * The newest release's state, if there is one.
 */
release: string | null, environments: Array<string>, };
export type Monitor = { id: string, project: string, 
/**
 * `inputs`, `drift`, `staleness`, `numeric_stability`, `quality`, `dependencies`, `skew` or `performance`.
 */
watch: string, 
/**
 * The same as people say it.
 */
watch_name: string, metric: string, 
/**
 * `at_least` or `at_most`: how the value stands to the threshold while all is well.
 */
comparator: string, threshold: string, owner: PartyName, route: string, every_days: number, reading: Reading | null, 
/**
 * `silent` (no value yet), `overdue`, `alarm` or `good`.
 */
state: string, base: string, 
/**
 * More than one: edits that did not know of each other.
 */
versions: Array<Version>, 
/**
 * For each of them what to save to keep it.
 */
choices: Array<SaveMonitor>, };
export type Node = { kind: string, id: string, title: string, };
export type NotCounted = { operation: string, person: Person, device: string, state: string, reason: string, at_ms: number, };
export type Note = { id: string, about: SubjectRef, title: string, text: string, 
/**
 * The text as it is read, with charts in their places.
 */
parts: Array<NotePart>, 
/**
 * What it showed when somebody kept it as evidence.
 */
frozen: Array<Frozen>, base: string, by: Person, created_ms: number, edited_ms: number, 
/**
 * Whose edits, made without knowing of each other, were brought together in this text.
 */
merged: Array<Person>, 
/**
 * More than one: edits that could not be brought together.
 */
versions: Array<Version>, };
export type NotePart = { "kind": "html", html: string, } | { "kind": "chart", spec: ChartSpec, of: RunSet, } | { "kind": "picture", digest: string, words: string, } | { "kind": "notebook", digest: string, name: string, } | { "kind": "broken", line: number, why: string, };
export type NoteRef = { note: string, };
export type NoteVersion = { op: string, by: Person, at_ms: number, title: string, text: string, 
/**
 * By what it differs from the one that it was based on; of the first all lines are new.
 */
changes: Array<LineChange>, };
export type NotebookDifference = { 
/**
 * In the order of reading.
 */
cells: Array<CellPair>, 
/**
 * In words: how many cells were changed, added, removed.
 */
summary: string, };
export type NotebookPiece = { "kind": "html", html: string, } | { "kind": "code", source: string, count: number | null, } | { "kind": "text", text: string, } | { "kind": "error", text: string, } | { "kind": "picture", data_url: string, } | { "kind": "other", media: string, };
export type NotebookRow = { file: FileRef, name: string, 
/**
 * The run that logged it, or the record whose notes hold it.
 */
place: string, by: Person, at_ms: number, };
export type NotebooksOf = { about: SubjectRef, };
export type NotesAbout = { about: SubjectRef, };
export type Nothing = Record<symbol, never>;
export type Notices = { on: boolean, };
export type OpenWorkspace = { dir: string, 
/**
 * It belongs to another user of this computer, and is to be opened all the same, from now on.
 */
adopt?: boolean, };
export type OperationRef = { 
/**
 * `<device>.<n>`.
 */
operation: string, };
export type OriginView = { 
/**
 * Whether anything is known.
 */
known: boolean, 
/**
 * Why something that people would look for is not there, in plain words.
 */
missing: Array<string>, folder: string | null, 
/**
 * The command as a shell takes it.
 */
command: string | null, script: string | null, notebook: string | null, commit: string | null, branch: string | null, remote: string | null, 
/**
 * How many files differed from the commit.
 */
changed: number, 
/**
 * The differences, as a file to look at.
 */
changes: SourceFile | null, 
/**
 * Files that differed and were not kept.
 */
left_out: Array<string>, python: string | null, packages_count: number, packages: SourceFile | null, system: string | null, cpu: string | null, cores: number, memory_bytes: number, gpus: Array<string>, };
export type Panel = { id: string, spec: ChartSpec, 
/**
 * Narrower than the page: only these runs.
 */
of: RunSet, section: string, 
/**
 * Its place among the charts of its section, the least first.
 */
place: number, 
/**
 * Why it cannot be drawn: a later program made it.
 */
broken: string | null, by: Person, saved_ms: number, 
/**
 * What a change is based on.
 */
base: string, 
/**
 * Two people changed it without knowing of each other: this is one of the two.
 */
both_changed: boolean, };
export type PanelQuery = { 
/**
 * The page of this experiment or project; that of all runs when left out.
 */
about?: SubjectRef, };
export type ParallelColumn = { name: string, 
/**
 * CSS pixels from the left.
 */
x: number, 
/**
 * Where each series meets it: 0 below, 1 above; none: nowhere.
 */
at: Array<number | null>, };
export type PartyName = { 
/**
 * `member` or `role`.
 */
kind: string, id: string, label: string, 
/**
 * That is me, or I hold the role.
 */
mine: boolean, };
export type PartyRef = { 
/**
 * `member` or `role`.
 */
kind: string, id: string, };
export type Person = { id: string, name: string, roles: Array<RoleName>, };
export type PinQuery = { runs: Array<string>, };
export type PinView = { id: string, run: string, metric: string, step: number, 
/**
 * Where two people changed it without knowing of each other, both texts, one below the other.
 */
text: string, by: Person, at_ms: number, base: string, };
export type PortfolioRow = { id: string, title: string, cycle: number, stage: string, stage_name: string, 
/**
 * 1 to 6.
 */
stage_number: number, 
/**
 * Since when it is in its stage.
 */
since_ms: number, 
/**
 * `low`, `medium`, `high`, or empty.
 */
risk: string, hypothesis: string, value_metric: string, 
/**
 * The day on which it is decided whether it was a success.
 */
success_date: string | null, 
/**
 * What is missing next, in words; empty: it can move on.
 */
next: string, 
/**
 * Whose turn it is.
 */
turn: RoleName | null, 
/**
 * The person who has it in hand, where one has.
 */
with: PartyName | null, my_turn: boolean, 
/**
 * I am named in it, or I began it.
 */
mine: boolean, blocked: boolean, 
/**
 * Handoffs and findings whose day is over.
 */
overdue: number, open_findings: number, high_findings: number, 
/**
 * The newest release's state.
 */
release: string | null, 
/**
 * Something of it runs in production.
 */
live: boolean, 
/**
 * `completed` or `cancelled`.
 */
ended: string | null, };
export type PreviewNote = { text: string, };
export type Printed = { words: Array<string>, 
/**
 * Four words for its public half: they tell which print is in force.
 */
phrase: string, 
/**
 * Whether it is in force already, or waits for the other owners.
 */
in_force: boolean, };
export type Probed = { good: boolean, sentence: string, details: string | null, };
export type Problem = { 
/**
 * Counted from 1; 0: of the whole text.
 */
line: number, message: string, };
export type ProblemForm = { project: string, title: string, groups: Array<ProblemGroup>, risk: Risk, costs: CostModel, 
/**
 * Required questions that are answered, and how many there are.
 */
answered: number, required: number, };
export type ProblemGroup = { id: string, title: string, why: string, questions: Array<Answered>, 
/**
 * No required question is open.
 */
done: boolean, };
export type Progress = { what: string, done: number, total: number | null, };
export type Project = { id: string, title: string, fields: Array<Field>, members: Array<ProjectMember>, created_ms: number, created_by: Person, cycle: number, stage: string, stages: Array<StageView>, 
/**
 * The lifecycle that it keeps to.
 */
template: TemplateName, 
/**
 * What the present stage still asks for, and what is done.
 */
gate: Array<Requirement>, 
/**
 * Whose turn it is; none when the gate is open.
 */
turn: RoleName | null, my_turn: boolean, 
/**
 * It ended; nothing waits any more.
 */
ended: Ended | null, 
/**
 * Which class holds, what it rests on, and what was proposed.
 */
risk: RiskView, 
/**
 * Said where the lifecycle is made for a lower class than the project's.
 */
lifecycle_word: string | null, 
/**
 * What was recorded to begin the next cycle.
 */
trigger: TriggerView | null, };
export type ProjectMember = { person: Person, role: RoleName, };
export type ProjectRef = { project: string, };
export type ProposalRef = { id: string, };
export type Proposed = { id: string, by: string, sentence: string, votes: Array<string>, needed: number, decided: boolean, 
/**
 * Whether my vote is among them.
 */
mine: boolean, };
export type Prune = { 
/**
 * Points of runs that were stored longer ago than this.
 */
older_than_days: number, 
/**
 * Take this computer's old files out of the shared place too, not only those of others from here.
 */
shared: boolean, };
export type Pruned = { 
/**
 * Points of other computers that were forgotten here.
 */
points: number, 
/**
 * Branches taken out of the shared place.
 */
branches: number, };
export type QuestionKind = "text" | "long" | "number" | "day" | "yes_no";
export type Reading = { value: string, 
/**
 * When it was seen.
 */
at_ms: number, source: string, by: Person, };
export type ReadmitDevice = { device: string, reason: string, };
export type Rebuilt = { 
/**
 * Operations folded.
 */
operations: number, 
/**
 * Whether the views are the same, byte for byte, as before.
 */
same: boolean, };
export type RecordCard = { kind: string, id: string, title: string, 
/**
 * The beginning of its text, or what is known of a person.
 */
text: string, project: string | null, project_title: string | null, by: Person | null, at_ms: number | null, };
export type RecordDeployment = { version: string, 
/**
 * `development`, `test` or `production`.
 */
environment: string, };
export type RecordView = { kind: string, id: string, parent: string | null, 
/**
 * Field, key, value; removed ones are left out.
 */
cells: Array<[string, string, string]>, };
export type Recording = { on: boolean, };
export type RecoveryState = { 
/**
 * There is a printed key.
 */
printed: boolean, 
/**
 * The four words that stand on the sheet which is in force.
 */
phrase: string | null, 
/**
 * It was used: everybody should know.
 */
used: boolean, };
export type Recurrent = { 
/**
 * As it was said first.
 */
title: string, projects: Array<string>, findings: number, 
/**
 * The highest that it was given.
 */
severity: string, 
/**
 * How an item of a lifecycle's checklist could say it, in YAML.
 */
item: string, };
export type ReferFile = { run: string, 
/**
 * What it is called in the run.
 */
path: string, 
/**
 * A file or folder of this computer, or an address (s3, gs, az, http); with `/` at its end: a folder there.
 */
address: string, };
export type Referred = { files: number, };
export type Refused = { device: string, person: Person, commit: string, code: string, reason: string, at_ms: number, };
export type RegisterVersion = { project: string, 
/**
 * An existing model's name makes this its next version.
 */
model: string, run: string, 
/**
 * The dataset versions that it was trained and tested on.
 */
datasets: Array<string>, };
export type Release = { id: string, project: string, project_title: string, version: ModelVersion, 
/**
 * `waiting`, `approved`, `rejected`, `sent_back`, `taken_back`, `stale`, `withdrawn`, `void` or `undetermined`.
 */
state: string, 
/**
 * The state in a sentence.
 */
sentence: string, 
/**
 * Approved, and nothing in the records holds it up.
 */
stands: boolean, 
/**
 * What holds it up, in sentences.
 */
blocks: Array<BlockView>, 
/**
 * What colleagues did who cannot block: named, and to be answered.
 */
challenges: Array<ChallengeView>, 
/**
 * What changed since it was signed.
 */
changed: Array<string>, 
/**
 * Whose sign-off is still missing.
 */
missing: Array<RoleName>, requested_by: Person, requested_ms: number, reason: string | null, 
/**
 * The class by which it is judged.
 */
risk_class: string, 
/**
 * What the request froze; none for requests of earlier programs.
 */
frozen: FrozenView | null, 
/**
 * Whoever had a hand in the version, and in what.
 */
builders: Array<BuilderView>, 
/**
 * Said where an approval that counts is by somebody who built it.
 */
independence: string | null, 
/**
 * Decisions on the same model before, anywhere in the workspace.
 */
earlier: Array<EarlierView>, signoffs: Array<SignoffView>, 
/**
 * What a signature made now would bind to.
 */
binds: Array<BoundView>, 
/**
 * The roles in which I could sign now.
 */
i_may_sign_as: Array<RoleName>, 
/**
 * Why I cannot, when I cannot.
 */
why_not: string | null, 
/**
 * My approval counts now; I may take it back.
 */
i_may_take_back: boolean, mine: boolean, 
/**
 * Requested by an earlier program, under its rules.
 */
older: boolean, 
/**
 * Said where the lifecycle is made for a lower class than the release is judged by.
 */
lifecycle_word: string | null, };
export type ReleasePage = { 
/**
 * What is named when it is signed.
 */
sha256: string, html: string, };
export type ReleaseRef = { release: string, };
export type RemoveDevice = { device: string, reason: string, 
/**
 * Somebody else may have had it since then (milliseconds since 1970): what came after does not
 * count, not even what is here already. Without it the computer just leaves service.
 */
compromised_since_ms?: number, };
export type RenderMarkdown = { text: string, };
export type Rendered = { html: string, };
export type ReportValue = { monitor: string, 
/**
 * A number; `NaN` and `Infinity` are values, too.
 */
value: string, 
/**
 * None: now.
 */
at_ms?: number, 
/**
 * Where it comes from, such as a job or a dashboard.
 */
source: string, };
export type Reproduce = { run: string, 
/**
 * Leave the packages as they are on the computer that repeats it.
 */
without_environment?: boolean, };
export type RequestRelease = { version: string, reason: string, 
/**
 * What is said to each earlier rejection, by its sign-off.
 */
answers?: { [key in string]: string }, };
export type Requirement = { id: string, text: string, owner: RoleName, met: boolean, 
/**
 * What kind of record settles it: the window links there.
 */
kind: string, 
/**
 * The handoff that it asks for, if it does.
 */
gate: string | null, 
/**
 * What was seen in the records, or what is missing there.
 */
said: string, evidence: Array<EvidenceLink>, 
/**
 * Nobody in the workspace holds the owner's role, so nobody can do it.
 */
nobody: boolean, };
export type ResolveThread = { 
/**
 * The thread's first comment.
 */
comment: string, resolved: boolean, };
export type Resting = { 
/**
 * A reason must be given.
 */
governed: boolean, 
/**
 * What rests on the record, releases first.
 */
rests: Array<EvidenceLink>, more: number, };
export type Restore = { device: string, };
export type RevokeRole = { member: string, role: string, 
/**
 * Required: it stays in the trail beside what the role did.
 */
reason: string, };
export type Risk = { questions: Array<Answered>, 
/**
 * What follows from the answers; none until all are given.
 */
suggested: string | null, 
/**
 * Why, in a sentence.
 */
why: string, chosen: Field, reason: Field, 
/**
 * The class is lower than the answers say: that needs a reason.
 */
lower: boolean, done: boolean, };
export type RiskView = { 
/**
 * `low`, `medium` or `high`; none: judged by the strictest rule.
 */
class: string | null, 
/**
 * Two people stated different classes without knowing of each other: the strictest holds until somebody settles it.
 */
contested: boolean, stated: Array<ClassStatement>, proposals: Array<ClassStatement>, 
/**
 * Whether I may state a class, and in which roles.
 */
i_may_state_as: Array<string>, };
export type RoleName = { id: string, label: string, };
export type RoleRests = { 
/**
 * Others who hold the role.
 */
others: number, 
/**
 * What this person signed in that role stays: in sentences.
 */
stays: string, 
/**
 * Projects that name the person for it.
 */
projects: Array<string>, };
export type Room = { 
/**
 * Whether it was freed.
 */
done: boolean, files: number, file_bytes: number, 
/**
 * Deleted runs whose points are still here.
 */
runs: number, points: number, point_bytes: number, 
/**
 * Free room inside the workspace file.
 */
slack: number, };
export type Round = { 
/**
 * Operations sent.
 */
sent: number, 
/**
 * Operations received and counted.
 */
received: number, 
/**
 * Commits refused in this round.
 */
refused: number, 
/**
 * This computer's name was in use twice; it goes on under a new one.
 */
renamed: boolean, 
/**
 * Large files sent to the object store.
 */
files: number, 
/**
 * Why large files could not be sent; everything else was.
 */
files_error: ApiError | null, };
export type Rules = { 
/**
 * The newest rules that an owner adopted; 1 where none did.
 */
adopted: number, 
/**
 * Those of this program.
 */
known: number, i_may_adopt: boolean, 
/**
 * What becomes of what is approved now.
 */
would_change: Array<RulesEffect>, };
export type RulesEffect = { release: string, title: string, project_title: string, 
/**
 * `stays` or `held_up`.
 */
effect: string, sentence: string, };
export type RunDetail = { run: RunRow, metrics: Array<MetricRow>, artifacts: Array<ArtifactRow>, models: Array<LoggedModelRow>, inputs: Array<InputRow>, };
export type RunGroup = { 
/**
 * What the runs have in common, as people read it; none: they have none.
 */
value: string | null, runs: number, 
/**
 * The condition that finds just these runs, to be joined with AND; none where it cannot be written.
 */
filter: string | null, 
/**
 * Runs of the group that have the metric.
 */
measured: number, mean: string | null, lowest: string | null, highest: string | null, };
export type RunGroups = { groups: Array<RunGroup>, 
/**
 * How many groups there are in all.
 */
total: number, };
export type RunPage = { rows: Array<RunRow>, 
/**
 * How many runs there are in all.
 */
total: number, };
export type RunPageQuery = { offset: number, 
/**
 * Only runs of this project's experiments.
 */
project?: string, experiment?: string, 
/**
 * MLflow's filter grammar, such as `metrics.accuracy > 0.9 AND params.model = 'forest'`.
 */
filter?: string, order_by?: string, 
/**
 * At most this many; 1,000 when left out.
 */
limit?: number, };
export type RunQuery = { 
/**
 * Only runs of this project's experiments.
 */
project?: string, experiment?: string, 
/**
 * MLflow's filter grammar, such as `metrics.accuracy > 0.9 AND params.model = 'forest'`.
 */
filter?: string, order_by?: string, 
/**
 * At most this many; 1,000 when left out.
 */
limit?: number, };
export type RunRef = { run: string, };
export type RunRow = { id: string, name: string, experiment: string, experiment_name: string, project: string | null, status: string, start_ms: number, end_ms: number | null, by: Person, parent: string | null, params: { [key in string]: string }, 
/**
 * The last value of each metric, as text: NaN and every digit survive.
 */
metrics: { [key in string]: string }, tags: { [key in string]: string }, };
export type RunSet = { runs: Array<string>, project: string | null, experiment: string | null, filter: string | null, order_by: string | null, };
export type SaveFile = { owner?: SubjectRef, digest?: string, 
/**
 * The artifact's path, where an owner is named.
 */
of?: string, 
/**
 * Where it is written on this computer.
 */
path: string, };
export type SaveFinding = { project: string, 
/**
 * None: a new one.
 */
finding?: string, title: string, text: string, severity: string, 
/**
 * Of a change of the severity: why. Else it is not needed.
 */
reason?: string, about?: SubjectRef, base?: string, };
export type SaveLifecycle = { 
/**
 * None: a new one.
 */
template?: string, text: string, base?: string, };
export type SaveMonitor = { 
/**
 * None: a new one.
 */
monitor?: string, project: string, watch: string, metric: string, comparator: string, threshold: string, owner: PartyRef, route: string, every_days: number, base?: string, };
export type SaveNote = { 
/**
 * None: a new note.
 */
note?: string, about: SubjectRef, title: string, text: string, base?: string, };
export type SavePanel = { 
/**
 * None: a new chart.
 */
panel?: string, about?: SubjectRef, spec: ChartSpec, of: RunSet, section: string, place: number, base?: string, };
export type SavePin = { 
/**
 * None: a new one.
 */
pin?: string, run: string, metric: string, step: number, text: string, base?: string, };
export type SaveSheet = { words: Array<string>, 
/**
 * The file to write, `…/recovery-key.pdf`.
 */
path: string, };
export type SaveView = { 
/**
 * None: a new view.
 */
view?: string, project?: string, name: string, state: Record<string, unknown>, base?: string, };
export type Saved = { by: Person, at_ms: number, };
export type SavedFile = { path: string, size: number, };
export type SavedSheet = { path: string, };
export type ScaleName = { id: string, name: string, };
export type ScoreSection = { id: string, title: string, sum: number, tests: Array<ScoredTest>, };
export type ScoredTest = { 
/**
 * Such as `D1`.
 */
id: string, text: string, 
/**
 * 0, 0.5 or 1.
 */
score: number, 
/**
 * The item of a handoff that shows it; none: the lifecycle does not ask for it.
 */
item: string | null, 
/**
 * What was seen or said.
 */
said: string, };
export type Script = { 
/**
 * Lines for a POSIX shell, to be run in an empty folder.
 */
script: string, 
/**
 * What stands in the way of making exactly the same again.
 */
caveats: Array<string>, };
export type SealDevice = { reason: string, };
export type Seen = { 
/**
 * `yes`, `partly` or `no`; none: there is nothing yet to judge by.
 */
met: string | null, said: string, };
export type SetAlias = { model: string, alias: string, 
/**
 * None: take the alias away.
 */
version?: string, };
export type SetAutomatic = { automatic: boolean, };
export type SetClass = { project: string, 
/**
 * `low`, `medium` or `high`.
 */
class: string, reason: string, };
export type SetNotices = { on: boolean, };
export type SetProjectMember = { project: string, member: string, role: string, belongs: boolean, };
export type SetRecording = { 
/**
 * Whether this computer notes which code makes its runs.
 */
on: boolean, };
export type SetRemote = { 
/**
 * Empty: share with nobody.
 */
address: string, };
export type SetTemplate = { project: string, template: string, 
/**
 * Required: another lifecycle may ask for less.
 */
reason: string, };
export type Settings = { 
/**
 * The largest file that travels through git with the log, in bytes.
 */
shared_file_max: number, 
/**
 * The most that the setting before may be.
 */
shared_file_limit: number, 
/**
 * Where larger files go; empty: they stay on the computer that has them.
 */
object_store: string, 
/**
 * The largest file that goes there, in bytes.
 */
stored_file_max: number, };
export type SettleFinding = { finding: string, 
/**
 * `fixed`, `accepted` or `no_problem`; none: open again.
 */
outcome?: string, reason: string, };
export type SharingStatus = { remote: string | null, 
/**
 * Changes that are not shared yet.
 */
waiting: number, last_ok_ms: number | null, 
/**
 * Why the last try failed; none if it went well.
 */
last_error: ApiError | null, devices: Array<DeviceSeen>, refused: Array<Refused>, 
/**
 * How many operations are kept but do not count, and why, newest first.
 */
not_counted: Array<NotCounted>, 
/**
 * What the shared place shows differently from what was accepted here.
 */
alarms: Array<Alarmed>, 
/**
 * Lines that wait to be written again under this computer's new name.
 */
set_aside: number, 
/**
 * Branches of computers that nobody let in which were not looked at in the last round: each round looks at some of them.
 */
strangers_left: number, 
/**
 * Whether Cairn shares by itself.
 */
automatic: boolean, 
/**
 * What was damaged on this computer and is whole again.
 */
mended: Array<Mended>, };
export type SignCriteria = { criteria: string, role: string, 
/**
 * What was shown.
 */
digest: string, };
export type SignIn = { user: string, 
/**
 * A password or, better, a token that may only write to this one place.
 */
secret: string, };
export type SignRelease = { release: string, 
/**
 * `approved`, `rejected`, `sent_back` or `taken_back`.
 */
decision: string, role: string, reason: string, 
/**
 * The digest of the page that was shown (`release.page`). If anything on it changed meanwhile, nothing is signed.
 */
page: string, };
export type SignoffView = { id: string, by: Person, role: RoleName, decision: string, reason: string, 
/**
 * The signer's claim, RFC 3339.
 */
claimed_at: string, at_ms: number, 
/**
 * Signed over exactly what stands now.
 */
fresh: boolean, changed: Array<string>, 
/**
 * Why it does not count, where it does not.
 */
not_counted: string | null, 
/**
 * What the signer was shown, by digest; none for signatures of earlier programs.
 */
page: string | null, 
/**
 * Said where the claimed time cannot be.
 */
clock: string | null, 
/**
 * Who else could first be shown to know of it, and when: the signer's own time is only a claim.
 */
seen_by: string | null, };
export type Smoothing = "none" | "exponential" | "mean";
export type SourceFile = { digest: string, size: number, 
/**
 * Whether this computer holds the content.
 */
here: boolean, };
export type SourceRef = { id: number, };
export type SourceView = { id: number, path: string, 
/**
 * The name of the format that people know.
 */
label: string, watched: boolean, looked_ms: number | null, runs: number, points: number, 
/**
 * What could not be read the last time.
 */
findings: Array<string>, 
/**
 * Why nothing of it could be read.
 */
trouble: string | null, };
export type StageTime = { stage: string, name: string, 
/**
 * Stays that have ended.
 */
ended: number, median_days: number | null, longest_days: number | null, 
/**
 * Projects that are in it now, and how long the one that waits longest has been.
 */
now: number, waiting_days: number | null, waiting_project: string | null, };
export type StageView = { id: string, name: string, purpose: string, 
/**
 * `done`, `here` or `ahead`.
 */
state: string, };
export type StartChecklist = { project: string, gate: string, };
export type Step = { stage: string, name: string, entered_ms: number, 
/**
 * None: it is still there.
 */
left_ms: number | null, 
/**
 * Who moved it here.
 */
by: Person, 
/**
 * The project came back to an earlier stage.
 */
back: boolean, why: string | null, 
/**
 * What was missing when it moved here, as the lifecycle says it.
 */
waived: Array<string>, };
export type StoreAnswer = { answers: boolean, sentence: string, hint: string | null, };
export type StoreSignIn = { 
/**
 * The access key's id, or the account.
 */
name: string, 
/**
 * Its secret; empty: forget it.
 */
secret: string, };
export type StretchQuery = { run: string, metric: string, 
/**
 * How many stretches of equal width over the steps, 1 to 10,000.
 */
count: number, 
/**
 * The steps that are looked at; all when left out.
 */
range?: [number, number], };
export type StretchView = { first_step: number, last_step: number, count: number, 
/**
 * Over the finite values; none if there is none.
 */
min: string | null, max: string | null, last: string, 
/**
 * Whether a value is no number, or infinite.
 */
nan: boolean, infinite: boolean, };
export type SubjectRef = { kind: string, id: string, };
export type Symptom = { good: boolean, what: string, mend: string | null, };
export type TagRuns = { 
/**
 * These runs; or all that fit the filter.
 */
runs?: Array<string>, filter?: string, 
/**
 * With a filter: only runs of this project.
 */
project?: string, set: { [key in string]: string }, remove: Array<string>, };
export type TaggedRuns = { 
/**
 * Runs that changed.
 */
runs: number, };
export type TemplateName = { id: string, name: string, 
/**
 * Whether this computer has it; else the standard one stands in, and its gates stay closed.
 */
here: boolean, };
export type TestData = { name: string, digest: string, };
export type TestScore = { 
/**
 * The least of the four sections, 0 to 7.
 */
score: number, 
/**
 * What that means, in the words of the paper.
 */
meaning: string, sections: Array<ScoreSection>, 
/**
 * Of each cycle, the oldest first; of past ones what their completed handoffs showed.
 */
trend: Array<CycleScore>, };
export type Thread = { 
/**
 * Of its first comment.
 */
id: string, about: SubjectRef, 
/**
 * A place in the record, such as an item or a section; empty: all of it.
 */
anchor: string, 
/**
 * An objection by somebody who decides stays open until they resolve it themselves, whoever else says that it is dealt with.
 */
resolved: boolean, resolved_by: Person | null, 
/**
 * Who is asked, where it is a question.
 */
asks: PartyName | null, 
/**
 * Somebody else than the asker replied.
 */
answered: boolean, comments: Array<Comment>, };
export type Trail = { entries: Array<TrailEntry>, total: number, };
export type TrailEntry = { id: string, at_ms: number, received_ms: number | null, by: Person, device: string, operation: string, 
/**
 * In plain words.
 */
sentence: string, subject: SubjectRef | null, subject_title: string, why: string | null, before: string | null, after: string, state: string, state_reason: string | null, commit: string | null, };
export type TrailPick = { 
/**
 * A member's id, or the name of one: what they did on any of their computers.
 */
person?: string, 
/**
 * A role that its author held when it was written.
 */
role?: string, 
/**
 * `<kind>/<id>`.
 */
record?: string, 
/**
 * A project's id: it and all that belongs to it.
 */
project?: string, 
/**
 * The first day, such as 2026-11-25, by UTC and the authors' own clocks.
 */
since?: string, 
/**
 * The last day.
 */
until?: string, 
/**
 * Such as `decisions`.
 */
meaning?: string, 
/**
 * Only what does not count: refused, held, not understood.
 */
not_counted?: boolean, };
export type TrailQuery = { subject?: SubjectRef, 
/**
 * Such as `release.`.
 */
kind?: string, 
/**
 * A word of what was written, or of the name of whoever wrote it.
 */
text?: string, only?: TrailPick, 
/**
 * Also the many small lines of tracking.
 */
tracking: boolean, problems: boolean, offset: number, limit?: number, };
export type TriggerCycle = { project: string, 
/**
 * `monitor`, `date`, `change` or `incident`.
 */
trigger: string, reason: string, evidence: Array<SubjectRef>, };
export type TriggerView = { 
/**
 * `monitor`, `date`, `change` or `incident`.
 */
trigger: string, why: string, evidence: Array<EvidenceLink>, by: Person, at_ms: number, };
export type TwoRuns = { first: string, second: string, };
export type Unlock = { passphrase: string, };
export type UseRecovery = { 
/**
 * The 24 words, as typed or scanned.
 */
words: string, 
/**
 * The member whose place is taken: yourself, if you were in before. None: a new member.
 */
member?: string, };
export type ValueSeries = { x: Array<number>, 
/**
 * None: no number there.
 */
y: Array<number | null>, 
/**
 * The band around it, where there is one.
 */
low: Array<number | null>, high: Array<number | null>, };
export type ValueTable = { head: Array<string>, rows: Array<Array<string>>, 
/**
 * Rows beyond those that are here.
 */
more: number, };
export type Verified = { commits: number, operations: number, 
/**
 * Kept and shown, but without effect; how many of each state.
 */
refused: number, held: number, unknown: number, 
/**
 * Everything that is not as it should be, one sentence each.
 */
problems: Array<string>, 
/**
 * How many problems there are; the list stops at a thousand.
 */
problem_count: number, 
/**
 * Not sealed into commits yet.
 */
waiting: number, at: string, };
export type Version = { op: string, value: string, by: Person, at_ms: number, };
export type VersionAsked = { version: string, };
export type VersionRef = { version: string, };
export type View = { id: string, name: string, 
/**
 * What the window keeps in it: filter, order, columns, groups, pins.
 */
state: Record<string, unknown>, by: Person, saved_ms: number, 
/**
 * What a change is based on.
 */
base: string, 
/**
 * Two people changed it without knowing of each other: this is one of the two.
 */
both_changed: boolean, };
export type ViewQuery = { 
/**
 * The views of this project's table; of the table of all runs when left out.
 */
project?: string, };
export type Views = { members: { [key in string]: MemberView }, devices: { [key in string]: DeviceView }, 
/**
 * By operation: `accepted`, `refused`, `held` or `unknown`.
 */
operations: { [key in string]: string }, records: Array<RecordView>, };
export type Way = { cycles: Array<CycleView>, };
export type WithdrawRelease = { release: string, reason?: string, };
export type WithoutEffect = { operation: string, by: string, reason: string, };
export type Witness = { person: Person, device: string, 
/**
 * What their clock said when they first wrote in knowledge of it.
 */
at_ms: number, 
/**
 * The commit that proves it.
 */
commit: string, };
export type WorkspaceInfo = { name: string, dir: string, device: string, 
/**
 * Four words that an administrator compares before letting this computer in.
 */
phrase: string, 
/**
 * None: this computer has not been let in yet.
 */
me: Person | null, remote: string | null, 
/**
 * What a colleague enters to join: the address, and the fingerprint of this workspace.
 */
invitation: string | null, 
/**
 * The sha256 of the workspace's first commit: what an auditor must be told by another way than the bundle.
 */
fingerprint: string | null, 
/**
 * The key is locked with a passphrase that has not been entered.
 */
locked: boolean, };
export type WriteComment = { about: SubjectRef, anchor: string, text: string, 
/**
 * A comment of the thread that it belongs to.
 */
reply_to?: string, 
/**
 * Makes it a question.
 */
asks?: PartyRef, };
export type WriteCriteria = { project: string, criteria: Array<CriterionText>, 
/**
 * The sets that it stands in for: all that were shown.
 */
replaces: Array<string>, };

export interface Commands {
  "app.status": { request: Nothing; response: AppStatus };
  "workspace.create": { request: CreateWorkspace; response: AppStatus };
  "workspace.join": { request: JoinWorkspace; response: AppStatus };
  "workspace.open": { request: OpenWorkspace; response: AppStatus };
  "workspace.unlock": { request: Unlock; response: AppStatus };
  "member.list": { request: Nothing; response: Members };
  "member.admit": { request: Admit; response: Members };
  "member.grant": { request: MemberRole; response: Members };
  "member.role_rests": { request: MemberRole; response: RoleRests };
  "member.decline": { request: DeclineRequest; response: Members };
  "member.revoke": { request: RevokeRole; response: Members };
  "device.remove": { request: RemoveDevice; response: Members };
  "device.readmit": { request: ReadmitDevice; response: Members };
  "device.rotate": { request: Nothing; response: Members };
  "device.seal": { request: SealDevice; response: Members };
  "owner.second": { request: ProposalRef; response: Members };
  "maturity.get": { request: MaturityQuery; response: Maturity };
  "maturity.assess": { request: Assess; response: Assessed };
  "inbox.list": { request: Nothing; response: Array<InboxItem> };
  "inbox.elsewhere": { request: Nothing; response: Elsewhere };
  "inbox.notices": { request: Nothing; response: Notices };
  "inbox.set_notices": { request: SetNotices; response: Notices };
  "inbox.looked": { request: Nothing; response: Elsewhere };
  "search.find": { request: FindQuery; response: Array<Found> };
  "graph.around": { request: AroundQuery; response: Around };
  "portfolio.list": { request: Nothing; response: Array<PortfolioRow> };
  "portfolio.lead_times": { request: LeadTimesQuery; response: LeadTimes };
  "project.list": { request: Nothing; response: Array<Project> };
  "project.get": { request: ProjectRef; response: Project };
  "project.create": { request: CreateProject; response: Project };
  "project.edit": { request: EditProject; response: Project };
  "project.set_member": { request: SetProjectMember; response: Project };
  "project.enter_stage": { request: EnterStage; response: Project };
  "project.set_template": { request: SetTemplate; response: Project };
  "project.way": { request: ProjectRef; response: Way };
  "project.trigger": { request: TriggerCycle; response: Project };
  "project.end": { request: EndProject; response: Project };
  "project.test_score": { request: ProjectRef; response: TestScore };
  "problem.get": { request: ProjectRef; response: ProblemForm };
  "problem.answer": { request: AnswerProblem; response: ProblemForm };
  "criteria.list": { request: ProjectRef; response: CriteriaPage };
  "criteria.write": { request: WriteCriteria; response: CriteriaPage };
  "criteria.sign": { request: SignCriteria; response: CriteriaPage };
  "finding.list": { request: ProjectRef; response: Array<Finding> };
  "finding.recurrent": { request: Nothing; response: Array<Recurrent> };
  "monitor.list": { request: ProjectRef; response: Array<Monitor> };
  "monitor.save": { request: SaveMonitor; response: Array<Monitor> };
  "monitor.report": { request: ReportValue; response: Array<Monitor> };
  "finding.save": { request: SaveFinding; response: Finding };
  "finding.assign": { request: AssignFinding; response: Finding };
  "finding.settle": { request: SettleFinding; response: Finding };
  "comment.list": { request: CommentsAbout; response: Array<Thread> };
  "comment.write": { request: WriteComment; response: Array<Thread> };
  "comment.edit": { request: EditComment; response: Array<Thread> };
  "comment.resolve": { request: ResolveThread; response: Array<Thread> };
  "lifecycle.list": { request: Nothing; response: Array<LifecycleRow> };
  "lifecycle.get": { request: LifecycleRef; response: LifecycleView };
  "lifecycle.check": { request: LifecycleText; response: LifecycleCheck };
  "lifecycle.difference": { request: LifecyclePair; response: LifecycleDifference };
  "lifecycle.save": { request: SaveLifecycle; response: LifecycleRow };
  "experiment.list": { request: Nothing; response: Array<Experiment> };
  "experiment.link": { request: LinkExperiment; response: Array<Experiment> };
  "run.list": { request: RunQuery; response: Array<RunRow> };
  "run.page": { request: RunPageQuery; response: RunPage };
  "run.groups": { request: GroupQuery; response: RunGroups };
  "run.complete": { request: CompleteFilter; response: Completions };
  "run.stretches": { request: StretchQuery; response: Array<StretchView> };
  "run.get": { request: RunRef; response: RunDetail };
  "run.lineage": { request: RunRef; response: Lineage };
  "run.source": { request: RunRef; response: OriginView };
  "run.reproduce": { request: Reproduce; response: Script };
  "run.recording": { request: Nothing; response: Recording };
  "run.set_source_recording": { request: SetRecording; response: Recording };
  "view.list": { request: ViewQuery; response: Array<View> };
  "view.save": { request: SaveView; response: View };
  "setting.get": { request: Nothing; response: Settings };
  "setting.store_sign_in": { request: StoreSignIn; response: StoreAnswer };
  "setting.try_store": { request: Nothing; response: StoreAnswer };
  "setting.change": { request: ChangeSetting; response: Settings };
  "chart.draw": { request: DrawChart; response: Chart };
  "chart.values": { request: DrawChart; response: ChartValues };
  "chart.browse": { request: BrowseCharts; response: Drawable };
  "run.compare": { request: CompareRuns; response: Comparison };
  "run.code_difference": { request: TwoRuns; response: CodeDifference };
  "chart.export": { request: ExportChart; response: ExportedChart };
  "file.view": { request: FileRef; response: FileShown };
  "file.save": { request: SaveFile; response: SavedFile };
  "file.refer": { request: ReferFile; response: Referred };
  "run.tag": { request: TagRuns; response: TaggedRuns };
  "dataset.list": { request: ProjectRef; response: Array<Dataset> };
  "dataset.import_csv": { request: ImportCsv; response: Dataset };
  "source.list": { request: Nothing; response: Array<SourceView> };
  "source.import": { request: ImportSource; response: Imported };
  "run.export_mlflow": { request: ExportMlflow; response: ExportedRuns };
  "source.progress": { request: Nothing; response: Progress | null };
  "source.cancel": { request: Nothing; response: boolean };
  "source.look": { request: Nothing; response: Array<SourceView> };
  "source.remove": { request: SourceRef; response: Array<SourceView> };
  "model.list": { request: ProjectRef; response: Array<Model> };
  "model.loose": { request: Nothing; response: Array<Model> };
  "model.link": { request: LinkModel; response: Model };
  "model.version": { request: VersionRef; response: ModelVersion };
  "model.register": { request: RegisterVersion; response: ModelVersion };
  "model.set_alias": { request: SetAlias; response: Model };
  "card.get": { request: VersionRef; response: Card };
  "card.edit": { request: EditCard; response: Card };
  "markdown.render": { request: RenderMarkdown; response: Rendered };
  "note.list": { request: NotesAbout; response: Array<Note> };
  "note.preview": { request: PreviewNote; response: Array<NotePart> };
  "note.freeze": { request: FreezeNote; response: Note };
  "note.attach": { request: AttachFile; response: Attached };
  "notebook.list": { request: NotebooksOf; response: Array<NotebookRow> };
  "notebook.compare": { request: CompareNotebooks; response: NotebookDifference };
  "note.history": { request: NoteRef; response: Array<NoteVersion> };
  "record.card": { request: SubjectRef; response: RecordCard };
  "panel.list": { request: PanelQuery; response: Array<Panel> };
  "panel.save": { request: SavePanel; response: Panel };
  "pin.list": { request: PinQuery; response: Array<PinView> };
  "pin.save": { request: SavePin; response: PinView };
  "note.save": { request: SaveNote; response: Note };
  "record.delete": { request: DeleteRecord; response: SubjectRef };
  "record.resting": { request: SubjectRef; response: Resting };
  "checklist.list": { request: ProjectRef; response: Array<Checklist> };
  "checklist.get": { request: ChecklistRef; response: Checklist };
  "checklist.start": { request: StartChecklist; response: Checklist };
  "checklist.pick_up": { request: ChecklistRef; response: Checklist };
  "checklist.item_done": { request: ItemDone; response: Checklist };
  "checklist.item_reopen": { request: ItemRef; response: Checklist };
  "checklist.hand_back": { request: HandBack; response: Checklist };
  "checklist.complete": { request: ChecklistRef; response: Checklist };
  "checklist.assign": { request: AssignChecklist; response: Checklist };
  "checklist.set_due": { request: DateChecklist; response: Checklist };
  "checklist.block": { request: BlockChecklist; response: Checklist };
  "checklist.receive": { request: ChecklistRef; response: Checklist };
  "checklist.accept": { request: ChecklistRef; response: Checklist };
  "release.list": { request: ProjectRef; response: Array<Release> };
  "release.get": { request: ReleaseRef; response: Release };
  "release.request": { request: RequestRelease; response: Release };
  "release.earlier": { request: VersionAsked; response: Array<EarlierView> };
  "release.page": { request: ReleaseRef; response: ReleasePage };
  "release.kept_page": { request: KeptPageRef; response: KeptPage };
  "release.sign": { request: SignRelease; response: Release };
  "release.answer": { request: AnswerChallenge; response: Release };
  "release.withdraw": { request: WithdrawRelease; response: Release };
  "risk.get": { request: ProjectRef; response: RiskView };
  "risk.set": { request: SetClass; response: RiskView };
  "risk.agree": { request: AgreeClass; response: RiskView };
  "rules.get": { request: Nothing; response: Rules };
  "rules.adopt": { request: Nothing; response: Rules };
  "release.gate": { request: ReleaseRef; response: GateAnswer };
  "deployment.list": { request: ProjectRef; response: Array<Deployment> };
  "deployment.record": { request: RecordDeployment; response: Array<Deployment> };
  "run.fetch_points": { request: FetchPoints; response: Fetched };
  "sharing.prune": { request: Prune; response: Pruned };
  "sharing.status": { request: Nothing; response: SharingStatus };
  "recovery.create": { request: Nothing; response: Printed };
  "recovery.sheet": { request: SaveSheet; response: SavedSheet };
  "recovery.seen": { request: Nothing; response: boolean };
  "recovery.use": { request: UseRecovery; response: Members };
  "sharing.set_automatic": { request: SetAutomatic; response: SharingStatus };
  "sharing.share": { request: Nothing; response: Round };
  "sharing.progress": { request: Nothing; response: Progress | null };
  "sharing.cancel": { request: Nothing; response: boolean };
  "sharing.sign_in": { request: SignIn; response: SharingStatus };
  "sharing.probe": { request: Nothing; response: Probed };
  "sharing.restore": { request: Restore; response: SharingStatus };
  "sharing.set_remote": { request: SetRemote; response: SharingStatus };
  "audit.witnesses": { request: OperationRef; response: Array<Witness> };
  "audit.meanings": { request: Nothing; response: Array<Meaning> };
  "audit.list": { request: TrailQuery; response: Trail };
  "audit.export": { request: ExportAudit; response: Exported };
  "log.views": { request: Nothing; response: Views };
  "log.verify": { request: Nothing; response: Verified };
  "log.repair": { request: Nothing; response: Array<Mended> };
  "log.rebuild": { request: Nothing; response: Rebuilt };
  "app.clean": { request: Clean; response: Room };
  "app.doctor": { request: Nothing; response: Array<Symptom> };
}

/** The cache tags that make the answer of a query old. */
export const queryTags = {
  "app.status": ["member", "settings", "sharing"],
  "member.list": ["member"],
  "member.role_rests": ["*"],
  "maturity.get": ["*"],
  "inbox.list": ["*"],
  "inbox.elsewhere": ["*"],
  "inbox.notices": ["settings"],
  "search.find": ["*"],
  "graph.around": ["*"],
  "portfolio.list": ["*"],
  "portfolio.lead_times": ["project"],
  "project.list": ["*"],
  "project.get": ["*"],
  "project.way": ["project", "template", "member"],
  "project.test_score": ["*"],
  "problem.get": ["project", "member"],
  "criteria.list": ["*"],
  "finding.list": ["finding", "member"],
  "finding.recurrent": ["finding", "project"],
  "monitor.list": ["*"],
  "comment.list": ["comment", "member"],
  "lifecycle.list": ["template", "project", "member"],
  "lifecycle.get": ["template", "member"],
  "lifecycle.check": ["template", "member"],
  "lifecycle.difference": ["template"],
  "experiment.list": ["experiment", "run"],
  "run.list": ["run", "metric", "experiment"],
  "run.page": ["run", "metric", "experiment"],
  "run.groups": ["run", "metric", "experiment"],
  "run.complete": ["run", "metric", "experiment"],
  "run.stretches": ["metric"],
  "run.get": ["run", "metric", "logged_model"],
  "run.lineage": ["run", "logged_model", "model_version"],
  "run.source": ["run"],
  "run.reproduce": ["run"],
  "run.recording": ["settings"],
  "view.list": ["view", "member"],
  "setting.get": ["setting"],
  "setting.try_store": [],
  "chart.draw": ["run", "metric"],
  "chart.values": ["run", "metric"],
  "chart.browse": ["run", "metric"],
  "run.compare": ["run", "metric"],
  "run.code_difference": ["run"],
  "file.view": [],
  "dataset.list": ["dataset", "dataset_version"],
  "source.list": ["source"],
  "source.progress": [],
  "model.list": ["*"],
  "model.loose": ["*"],
  "model.version": ["*"],
  "card.get": ["model_version", "model", "member"],
  "markdown.render": [],
  "note.list": ["note", "member"],
  "note.preview": ["run", "metric"],
  "notebook.list": ["*"],
  "notebook.compare": [],
  "note.history": ["note", "member"],
  "record.card": ["*"],
  "panel.list": ["panel", "member"],
  "pin.list": ["pin", "member"],
  "record.resting": ["*"],
  "checklist.list": ["*"],
  "checklist.get": ["*"],
  "release.list": ["*"],
  "release.get": ["*"],
  "release.earlier": ["*"],
  "release.page": ["*"],
  "release.kept_page": ["signoff"],
  "risk.get": ["*"],
  "rules.get": ["*"],
  "release.gate": ["*"],
  "deployment.list": ["deployment", "member"],
  "sharing.status": ["sharing", "member", "settings"],
  "sharing.progress": [],
  "audit.witnesses": ["sharing"],
  "audit.meanings": [],
  "audit.list": ["*"],
  "log.views": ["*"],
  "app.doctor": [],
} as const satisfies Partial<Record<keyof Commands, readonly string[]>>;
