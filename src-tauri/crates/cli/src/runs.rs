//! `cairn runs`: what runs there are, and what is known of one.

use crate::print;
use cairn_api::ApiError;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Runs {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[arg(long)]
    experiment: Option<String>,
    /// For example: metrics.accuracy > 0.9 AND params.model = 'forest'
    #[arg(long)]
    filter: Option<String>,
    #[arg(long)]
    order_by: Option<String>,
}

#[derive(Subcommand)]
enum Verb {
    /// Everything that is known of a run.
    Show { run: String },
    /// The commands that make a run again: code, changes, packages, command line.
    Reproduce {
        run: String,
        /// Leave the packages as they are here.
        #[arg(long)]
        without_environment: bool,
        /// Write the commands into this file instead.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// What differs between runs, which is better, and how sure that is.
    Compare {
        /// The first is what the others are measured by.
        #[arg(required = true)]
        runs: Vec<String>,
        /// The metric that decides.
        #[arg(long)]
        metric: Option<String>,
        #[arg(long, conflicts_with = "lower_is_better")]
        higher_is_better: bool,
        #[arg(long)]
        lower_is_better: bool,
    },
    /// Set and remove tags of many runs at once.
    Tag {
        /// Which runs: a filter, such as experiment = 'churn'.
        #[arg(long)]
        filter: String,
        /// key=value; may stand several times.
        #[arg(long = "set")]
        set: Vec<String>,
        /// A key; may stand several times.
        #[arg(long = "remove")]
        remove: Vec<String>,
    },
}

impl Runs {
    pub(crate) fn run(&self, as_json: bool, call: &dyn Fn(&str, Value) -> Result<Value, ApiError>) -> Result<(), ApiError> {
        match &self.verb {
            None => self.list(as_json, call),
            Some(Verb::Show { run }) => {
                let mut found = call("run.get", json!({ "run": run }))?;
                found["source"] = call("run.source", json!({ "run": run }))?;
                print::record(as_json, &found, print::run);
                Ok(())
            }
            Some(Verb::Reproduce { run, without_environment, out }) => {
                let made = call("run.reproduce", json!({ "run": run, "without_environment": without_environment }))?;
                for caveat in made["caveats"].as_array().into_iter().flatten() {
                    eprintln!("Note: {}", caveat.as_str().unwrap_or_default());
                }
                let script = made["script"].as_str().unwrap_or_default();
                match out {
                    Some(file) => std::fs::write(file, script)
                        .map_err(|e| ApiError::new("io", format!("{} could not be written: {e}", file.display())))?,
                    None if as_json => print::record(true, &made, |_| String::new()),
                    None => print::line(script.trim_end()),
                }
                Ok(())
            }
            Some(Verb::Compare { runs, metric, higher_is_better, lower_is_better }) => {
                let better = if *higher_is_better {
                    "higher"
                } else if *lower_is_better {
                    "lower"
                } else {
                    "unsaid"
                };
                let asked = json!({ "of": { "runs": runs }, "baseline": runs.first(), "metric": metric, "better": better });
                let found = call("run.compare", asked)?;
                print::record(as_json, &found, print::comparison);
                Ok(())
            }
            Some(Verb::Tag { filter, set, remove }) => {
                let mut pairs = serde_json::Map::new();
                for text in set {
                    let (key, value) =
                        text.split_once('=').ok_or_else(|| ApiError::invalid(format!("\"{text}\" is not of the form key=value")))?;
                    pairs.insert(key.to_owned(), value.into());
                }
                let done = call("run.tag", json!({ "filter": filter, "set": pairs, "remove": remove }))?;
                print::record(as_json, &done, |v| format!("{} runs changed.", v["runs"]));
                Ok(())
            }
        }
    }

    fn list(&self, as_json: bool, call: &dyn Fn(&str, Value) -> Result<Value, ApiError>) -> Result<(), ApiError> {
        let mut request = json!({ "filter": self.filter, "order_by": self.order_by });
        if let Some(name) = &self.experiment {
            let all = call("experiment.list", Value::Null)?;
            let found = all.as_array().and_then(|l| l.iter().find(|e| e["name"] == name.as_str() || e["id"] == name.as_str()));
            request["experiment"] = found.map(|e| e["id"].clone()).ok_or_else(|| ApiError::not_found(&format!("The experiment {name}")))?;
        }
        print::record(as_json, &call("run.list", request)?, print::runs);
        Ok(())
    }
}
