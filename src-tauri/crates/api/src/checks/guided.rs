//! Checks over what people state: answers about the project, the risk class, findings, and what began a cycle.

use super::{Found, Looker, count};
use crate::ApiError;
use crate::monitors::plan_of;
use crate::problem::{answer_of, heading, number, risk_decided};
use cairn_core::id::OpId;
use cairn_core::op::{Kind, Severity, Subject, Watch};
use cairn_store::order::{Order, Orders};
use cairn_store::records::Record;

impl Looker<'_, '_> {
    pub(super) fn answered(&self, questions: &[String]) -> Found {
        let open: Vec<String> = questions.iter().filter(|q| answer_of(self.project, q).is_none()).map(|q| heading(q)).collect();
        if open.is_empty() { Found::new(true, "") } else { Found::new(false, format!("Not answered yet: {}.", open.join(", "))) }
    }

    pub(super) fn answered_at_least(&self, question: &str, least: u32) -> Found {
        let Some(text) = answer_of(self.project, question) else {
            return Found::new(false, format!("Not answered yet: {}.", heading(question)));
        };
        let met = number(text).is_ok_and(|v| v >= f64::from(least));
        let said = if met {
            format!("{}: {text}.", heading(question))
        } else {
            format!("{}: {text}; at least {least} is asked for.", heading(question))
        };
        Found::new(met, said)
    }

    pub(super) fn risk_decided(&self) -> Result<Found, ApiError> {
        let (met, said) = risk_decided(self.project, &crate::risk::class_word(self.r, &self.project.id)?);
        Ok(Found::new(met, said))
    }

    pub(super) fn findings_settled(&self) -> Result<Found, ApiError> {
        let all = self.live(Kind::Finding, &self.project.id)?;
        let open: Vec<_> = all.iter().filter(|f| f.get("outcome").is_none()).collect();
        let high: Vec<&str> = open.iter().filter(|f| f.get("severity") == Some(Severity::High.as_str())).map(|f| f.id.as_str()).collect();
        let loose: Vec<&str> =
            open.iter().filter(|f| f.get("assigned").is_none() || f.get("due").is_none()).map(|f| f.id.as_str()).collect();
        Ok(if !high.is_empty() {
            Found::new(
                false,
                format!("{} of high severity {} open.", count(high.len(), "finding"), if high.len() == 1 { "is" } else { "are" }),
            )
            .with(Kind::Finding, high)
        } else if !loose.is_empty() {
            let have = if loose.len() == 1 { "has" } else { "have" };
            Found::new(false, format!("{} {have} nobody or no day yet.", count(loose.len(), "finding"))).with(Kind::Finding, loose)
        } else if all.is_empty() {
            Found::new(true, "No finding was raised.")
        } else {
            Found::new(true, format!("{}, {} open, each with somebody and a day.", count(all.len(), "finding"), open.len()))
                .with(Kind::Finding, open.iter().map(|f| f.id.as_str()))
        })
    }

    /// Every kind of trouble is looked for by a monitor that has said something since the cycle began.
    pub(super) fn monitors_live(&self, watch: &[Watch]) -> Result<Found, ApiError> {
        let all = self.live(Kind::Monitor, &self.project.id)?;
        let began = self.cycle_began()?;
        let orders = Orders::new(self.r);
        let (mut missing, mut silent, mut shown) = (Vec::new(), Vec::new(), Vec::new());
        for wanted in watch {
            let of: Vec<&Record> = all.iter().filter(|m| plan_of(m).is_some_and(|p| p.watch == *wanted)).collect();
            if of.is_empty() {
                missing.push(wanted.words());
                continue;
            }
            let mut heard = false;
            for monitor in &of {
                let Some(reading) = monitor.cell("reading") else { continue };
                // What was said before the cycle began says nothing of what runs now.
                let late = match (&began, OpId::parse(reading.op())) {
                    (Some(began), Ok(reading)) => orders.of(&reading, began)? == Order::Before,
                    _ => false,
                };
                if !late {
                    heard = true;
                    shown.push(monitor.id.clone());
                }
            }
            if !heard {
                silent.extend(of.iter().filter_map(|m| plan_of(m)).map(|p| p.metric.to_string()));
            }
        }
        Ok(if !missing.is_empty() {
            Found::new(false, format!("Not watched: {}.", missing.join(", ")))
        } else if !silent.is_empty() {
            Found::new(false, format!("No value has been reported yet of: {}.", silent.join(", ")))
        } else {
            Found::new(true, format!("{} report values, each with a threshold, an owner and a route.", count(shown.len(), "monitor")))
        }
        .with(Kind::Monitor, shown))
    }

    pub(super) fn trigger_recorded(&self) -> Found {
        let cell: serde_json::Value =
            self.project.get_key("trigger", &(self.cycle + 1).to_string()).and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
        let Some(trigger) = cell["trigger"].as_str() else {
            return Found::new(false, "Nobody has recorded yet what makes a new cycle begin.");
        };
        let evidence: Vec<Subject> = serde_json::from_value(cell["evidence"].clone()).unwrap_or_default();
        if evidence.is_empty() {
            return Found::new(false, format!("The trigger ({trigger}) is recorded without evidence; link what shows it."));
        }
        let mut found = Found::new(true, format!("Trigger: {trigger}."));
        found.evidence = evidence;
        found
    }
}
