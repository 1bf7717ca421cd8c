//! The single write of an update.

use crate::error::Error;
use crate::files::credentials_file::{Fetched, KeysWritten};
use crate::files::known_keys::Standing;
use crate::files::written::Written;
use crate::operations::update::fetch::UpdateRun;
use crate::operations::update::rows::{Outcome, Part};
use crate::patience::Patience;
use crate::session::time_limit::TimeLimit;

impl UpdateRun {
    /// Writes the fetched keys; skips a profile whose section another program changed during the run.
    pub(super) async fn write(&self, parts: &mut [Part], time: TimeLimit) -> Result<(), Error> {
        let now = self.context.now();
        // In the order of the table, as a person would write a new file.
        let rows = parts.iter().flat_map(|part| part.rows.iter().map(|row| (part.environment.name.as_str(), row)));
        let fetched: Vec<Fetched<'_>> = rows
            .filter_map(|(environment, row)| match &row.outcome {
                Some(Outcome::Fetched { keys, at }) => {
                    Some(Fetched { environment, profile: &row.profile, keys, issued: now.saturating_sub(at.elapsed().try_into().unwrap_or_default()) })
                }
                _ => None,
            })
            .collect();
        if fetched.is_empty() {
            return Ok(());
        }
        let patience = Patience::new(Some(time.for_write()), self.context.outlet.cancel_token().clone());
        let KeysWritten { written, blocked, renamed } = self.file.write(&fetched, self.update.replace_keys, &patience).await?;
        self.report_write(&written, &renamed, fetched.len() - blocked.len());
        self.warn_of_short_keys(&fetched);
        for row in parts.iter_mut().flat_map(|part| &mut part.rows) {
            if let Some(obstacle) = blocked.get(&row.profile.name) {
                row.standing = Standing::Blocked(obstacle.clone());
                row.outcome = None;
            }
        }
        Ok(())
    }

    fn report_write(&self, written: &Written, renamed: &[String], count: usize) {
        let file = self.file.path().display();
        self.context.outlet.warn_all(written.all_warnings(self.file.path()));
        for name in renamed {
            self.context.outlet.warn(format!(
                "The section name [{name}] had spaces inside its brackets in {file}, which the AWS CLI reads as part of the name. They were removed."
            ));
        }
        let profiles = if count == 1 { "1 profile was".to_owned() } else { format!("{count} profiles were") };
        self.context.outlet.verbose(format!("{profiles} written to {file}."));
    }
}
