//! A piece of long work: what it is doing, and whether it should stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Shared between the work and whoever watches it.
#[derive(Debug, Default)]
pub struct Errand {
    stop: AtomicBool,
    step: Mutex<Option<Step>>,
}

/// What the work is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub what: String,
    pub done: u64,
    /// None: nobody knows yet.
    pub total: Option<u64>,
}

impl Errand {
    /// Asks the work to stop at the next safe place.
    pub fn cancel(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
    pub fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
    pub fn at(&self, what: &str, done: u64, total: Option<u64>) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = Some(Step { what: what.to_owned(), done, total });
    }
    pub fn step(&self) -> Option<Step> {
        self.step.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
