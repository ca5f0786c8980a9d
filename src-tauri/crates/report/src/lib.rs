//! Documents for people outside the program: rendered Markdown, model cards, the audit bundle.

pub mod audit;
pub mod chart_pdf;
pub mod markdown;
pub mod pdf_pages;
pub mod recovery;
pub mod sheet;
