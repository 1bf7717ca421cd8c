//! How long the parts of a run may take.

use std::time::Duration;

use tokio::time::Instant;

use crate::operations::update::{DEFAULT_TIMEOUT, limit};
use crate::protocol::SessionTerms;
use crate::session::live::Bound;

/// The part of a limited run that is kept for the write, so that what was fetched is not lost; of a short run it is a quarter.
const KEPT_FOR_WRITE: Duration = Duration::from_secs(1);

/// The time that a user gave, and what it bounds. Where somebody may log in, that is each part of the run, since people take the time that they need.
/// Where nobody may, it is the whole run, waits for others included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeLimit {
    started: Instant,
    given: Option<Duration>,
    whole_run: bool,
}

impl TimeLimit {
    /// The limit of a run that starts now.
    pub(crate) fn of(terms: &SessionTerms) -> Self {
        let given = terms.timeout.map(limit);
        Self { started: Instant::now(), given, whole_run: given.is_some() && !terms.login }
    }

    /// What a step on the way to a session may take, where the user gave a limit.
    pub(crate) fn for_session(&self) -> Option<Duration> {
        self.given.map(|given| if self.whole_run { self.network_end().saturating_duration_since(Instant::now()) } else { given })
    }

    /// What a step may take that the run can do without.
    pub(crate) fn for_optional_step(&self, usual: Duration) -> Duration {
        let left = self.for_session().unwrap_or(DEFAULT_TIMEOUT);
        usual.min(if self.whole_run { left / 2 } else { left })
    }

    /// How long another process is waited for that fetches the same profiles: half of the time, so that they can still be fetched if it comes to nothing.
    pub(crate) fn for_turn(&self) -> Duration {
        self.for_session().unwrap_or(DEFAULT_TIMEOUT) / 2
    }

    /// What bounds the requests of a session.
    pub(crate) fn for_requests(&self) -> Bound {
        if self.whole_run { Bound::Until(self.network_end()) } else { Bound::Together(self.given.unwrap_or(DEFAULT_TIMEOUT)) }
    }

    /// What bounds the requests for a list, which may be long; so nothing bounds it as a whole unless the user does.
    pub(crate) fn for_list(&self) -> Bound {
        if self.given.is_some() { self.for_requests() } else { Bound::Each(DEFAULT_TIMEOUT) }
    }

    /// How long the write may wait for its lock.
    pub(crate) fn for_write(&self) -> Duration {
        let given = self.given.unwrap_or(DEFAULT_TIMEOUT);
        if self.whole_run { (self.started + given).saturating_duration_since(Instant::now()) } else { given }
    }

    fn network_end(&self) -> Instant {
        let given = self.given.unwrap_or(DEFAULT_TIMEOUT);
        self.started + given - KEPT_FOR_WRITE.min(given / 4)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::TcpListener;
    use std::sync::mpsc;

    use super::*;
    use crate::environments::configured::ConfigFile;
    use crate::environments::stored::Environments;
    use crate::files::safe_write::Lock;
    use crate::operations::update::update;
    use crate::protocol::{Event, Target, TokenCache, Update};
    use crate::run::Run;
    use crate::session::source::token_files;
    use crate::session::token_cache::TokenFiles;
    use crate::world::{Variables, World, test_world};

    const LIMIT: Duration = Duration::from_secs(5);

    /// How long the session of the test's user still lasts, in seconds.
    #[derive(Debug, Clone, Copy)]
    struct SessionLeft(i64);

    const FRESH: SessionLeft = SessionLeft(7200);
    const TO_BE_REFRESHED: SessionLeft = SessionLeft(300);
    const ENDED: SessionLeft = SessionLeft(-60);

    /// A user with a session of each of these environments, and services at an address where nobody ever answers.
    struct User {
        _home: tempfile::TempDir,
        _service: TcpListener,
        world: World,
        environments: &'static [&'static str],
    }

    impl User {
        fn with(environments: &'static [&'static str], left: SessionLeft) -> Self {
            let (home, mut world) = test_world();
            let service = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}", service.local_addr().unwrap());
            let known = world.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
            let endpoints = ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"].map(|name| (name.to_owned(), url.clone()));
            world.variables = Variables::new(known.chain(endpoints).collect());
            std::fs::create_dir_all(home.path().join(".aws/sso/cache")).unwrap();
            let table = |name| {
                format!(
                    "[environment {name}]\nsso_start_url = https://{name}.awsapps.com/start\nsso_region = us-west-2\n\
                    [environment {name} profile {name}-1]\nsso_account_id = 100000000000\nsso_role_name = Admin\n"
                )
            };
            let text = environments.iter().map(table).collect::<Vec<_>>().concat();
            std::fs::write(home.path().join(".aws/sso-environments"), text).unwrap();
            let user = Self { _home: home, _service: service, world, environments };
            let time = |seconds| crate::files::credentials_file::rfc3339(user.world.clock.now() + time::Duration::seconds(seconds));
            let token = format!(
                r#"{{"startUrl":"u","region":"us-west-2","accessToken":"token","expiresAt":"{}","clientId":"id","clientSecret":"secret","registrationExpiresAt":"{}","refreshToken":"refresh"}}"#,
                time(left.0),
                time(86400)
            );
            for files in user.token_files() {
                std::fs::write(files.own_path(), &token).unwrap();
            }
            user
        }

        fn token_files(&self) -> Vec<TokenFiles> {
            let environments = Environments::read(&self.world).unwrap();
            let files = environments.all.iter().map(|environment| token_files(&self.world, environment, &ConfigFile::default(), TokenCache::AwsCli));
            files.map(|files| files.unwrap().unwrap()).collect()
        }

        /// The time that an update without a login takes, and the codes of its errors.
        async fn update(&self) -> (Duration, Vec<String>) {
            let session = SessionTerms { login: false, timeout: Some(LIMIT.as_secs()), ..SessionTerms::default() };
            let wanted = Update {
                targets: self.environments.iter().map(|name| Target { environment: (*name).to_owned(), profiles: None }).collect(),
                force: false,
                replace_keys: false,
                minimum_remaining: 900,
                session,
                throttle_limit: 16,
                report_profiles: false,
                expose_token: false,
            };
            let (sender, receiver) = mpsc::channel();
            let world = self.world.clone();
            let run = Run::new(
                Box::new(move |outlet| {
                    sender.send(update(wanted, world, outlet)).unwrap();
                    None
                }),
                false,
            );
            let mut events: Vec<Event> = std::iter::from_fn(|| run.next()).collect();
            let started = Instant::now();
            receiver.recv().unwrap().unwrap().unwrap().await;
            let took = started.elapsed();
            events.extend(std::iter::from_fn(|| run.next()));
            let codes = events.iter().filter_map(|event| if let Event::Failed(failed) = event { Some(format!("{:?}", failed.code)) } else { None });
            (took, codes.collect())
        }
    }

    async fn assert_ends_in_time(user: &User, code: &str) {
        let (took, codes) = user.update().await;
        assert!(took <= LIMIT, "{took:?} {codes:?}");
        assert!(!codes.is_empty() && codes.iter().all(|seen| seen == code), "{codes:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_never_come_end_the_run_at_its_limit() {
        assert_ends_in_time(&User::with(&["Acme"], FRESH), "NetworkError").await;
    }

    #[tokio::test(start_paused = true)]
    async fn refreshes_that_are_never_answered_end_the_run_at_its_limit_however_many_there_are() {
        assert_ends_in_time(&User::with(&["Acme"], ENDED), "NetworkError").await;
        assert_ends_in_time(&User::with(&["Acme", "Beta", "Gamma"], ENDED), "NetworkError").await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_refresh_that_is_not_needed_yet_leaves_time_for_the_keys() {
        let user = User::with(&["Acme"], TO_BE_REFRESHED);
        assert_ends_in_time(&user, "NetworkError").await;
        let terms = SessionTerms { login: false, timeout: Some(LIMIT.as_secs()), ..SessionTerms::default() };
        assert_eq!(TimeLimit::of(&terms).for_optional_step(Duration::from_secs(10)), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn another_process_that_keeps_the_session_to_itself_ends_the_run_at_its_limit() {
        let user = User::with(&["Acme", "Beta"], ENDED);
        let locks: Vec<Lock> = user.token_files().iter().map(|files| Lock::try_take(&files.lock_path()).unwrap().unwrap()).collect();
        assert_ends_in_time(&user, "FileLocked").await;
        drop(locks);
    }

    #[tokio::test(start_paused = true)]
    async fn two_runs_of_one_process_that_wait_for_each_other_both_end_at_their_limit() {
        let user = User::with(&["Acme"], ENDED);
        let both = tokio::join!(user.update(), user.update());
        assert!(both.0.0 <= LIMIT && both.1.0 <= LIMIT, "{both:?}");
        assert!(!both.0.1.is_empty() && !both.1.1.is_empty(), "{both:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_leads_nowhere_ends_the_run_at_its_limit() {
        let mut user = User::with(&["Acme"], FRESH);
        let known = user.world.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        // Reserved for documentation (RFC 5737): no packet to it is ever answered.
        let nowhere = ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"].map(|name| (name.to_owned(), "https://192.0.2.1".to_owned()));
        user.world.variables = Variables::new(known.chain(nowhere).collect());
        assert_ends_in_time(&user, "NetworkError").await;
    }

    #[test]
    fn without_a_login_the_limit_is_one_for_the_whole_run_and_with_one_it_is_that_of_each_part() {
        let terms = |login, timeout| SessionTerms { login, timeout, ..SessionTerms::default() };
        let together = TimeLimit::of(&terms(true, Some(8)));
        assert_eq!((together.for_session(), together.for_write()), (Some(Duration::from_secs(8)), Duration::from_secs(8)));
        assert!(matches!(together.for_requests(), Bound::Together(limit) if limit == Duration::from_secs(8)));
        let whole = TimeLimit::of(&terms(false, Some(8)));
        assert!(whole.for_session() <= Some(Duration::from_secs(7)) && whole.for_write() <= Duration::from_secs(8));
        assert!(matches!(whole.for_requests(), Bound::Until(_)) && matches!(whole.for_list(), Bound::Until(_)));
        let none = TimeLimit::of(&terms(false, None));
        assert_eq!((none.for_session(), none.for_write()), (None, DEFAULT_TIMEOUT));
        assert!(matches!(none.for_list(), Bound::Each(_)) && matches!(none.for_requests(), Bound::Together(_)));
    }
}
