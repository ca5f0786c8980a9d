//! Whole-system tests live in `suite/`, `stories/`, `peers/` and `e2e/`.
