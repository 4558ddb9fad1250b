//! Where the command line finds settings and keys: the environment, and `.env` for keys alone.
//!
//! A stray `.env` in a folder must not be able to send a shell's real key elsewhere: base URLs
//! and other settings in it are not read.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use llm_exe::hosted::{CachedDocuments, DocumentStores, parse_config_url};
use llm_exe::ports::{DocumentLocation, DocumentStore, Signer};
use llm_exe::providers::{COMPATIBLE_SETTING, ProviderRow, Providers};
use llm_exe::transport::HttpClient;
use llm_exe::{Error, Executor, Keys, WebConfigFetcher};
use llm_exe_aws::ssm::Ssm;
use llm_exe_aws::{
    Aws, AwsMessenger, CredentialSource, EnvironmentCredentials, S3Documents, S3Results,
    SigV4Signer, SsmKeys, VARIABLES,
};
use llm_exe_events::endpoint_key;
use llm_exe_function::{AwsSettings, EnvironmentKeys, Function, Settings};
use llm_exe_simulator::Simulator;

use crate::input;

#[expect(clippy::disallowed_methods, reason = "the one place where this binary reads it")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A variable that is set but empty is not set.
fn set_variable(name: &str) -> Option<String> {
    variable(name).filter(|value| !value.trim().is_empty())
}

/// AWS's own example of credentials, whose signatures the simulator verifies.
const EXAMPLE_CREDENTIALS: &[(&str, &str)] = &[
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
];

/// Where keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// No provider is asked, so no key is.
    Nowhere,
    /// The simulator takes any.
    Simulator,
    /// The environment, else `.env`.
    Environment,
}

impl KeySource {
    /// The simulator's, or the user's.
    pub(crate) fn of(simulate: bool) -> Self {
        if simulate { KeySource::Simulator } else { KeySource::Environment }
    }
}

/// Settings, keys, and the simulator where one was asked for.
pub(crate) struct Environment {
    pub(crate) settings: Settings,
    pub(crate) keys: Arc<dyn Keys>,
    signer: Arc<dyn Signer>,
    credentials: Arc<dyn CredentialSource>,
    source: KeySource,
    http: HttpClient,
    /// Kept for as long as it is asked.
    _simulator: Option<Simulator>,
}

impl Environment {
    /// Reads the environment, with some variables set otherwise.
    pub(crate) async fn read(
        source: KeySource,
        overrides: &[(&str, String)],
    ) -> Result<Environment, String> {
        let mut overrides: HashMap<String, String> =
            overrides.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let mut simulator = None;
        if source == KeySource::Simulator {
            let started = Simulator::start().await;
            let started = started.map_err(|error| format!("the simulator can't start: {error}"))?;
            // Any region will do, and none must be missed.
            let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(set_variable);
            let region = region.unwrap_or_else(|| "us-east-1".to_owned());
            overrides.entry("AWS_REGION".to_owned()).or_insert(region);
            simulator = Some(started);
        }
        let look_up = |name: &str| overrides.get(name).cloned().or_else(|| variable(name));
        let mut settings = Settings::parse(&look_up).map_err(|fault| fault.to_string())?;
        let providers = settings.rules.providers;
        if let Some(simulator) = &simulator {
            for row in providers.all() {
                settings.endpoints.set(row, &simulated_url(simulator, row))?;
            }
        }
        let (keys, credentials) = match source {
            KeySource::Nowhere => {
                (EnvironmentKeys::new(|_| None), EnvironmentCredentials::new(|_| None))
            }
            KeySource::Simulator => {
                let example = |name: &str| {
                    let mut known = EXAMPLE_CREDENTIALS.iter();
                    known.find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
                };
                (EnvironmentKeys::new(simulated_key), EnvironmentCredentials::new(example))
            }
            KeySource::Environment => {
                let from_file = Arc::new(keys_of(Path::new(".env"), providers)?);
                let same = Arc::clone(&from_file);
                let keys = EnvironmentKeys::new(move |name| {
                    set_variable(name).or_else(|| from_file.get(name).cloned())
                });
                (keys, own_credentials(same))
            }
        };
        let http = HttpClient::default();
        let credentials: Arc<dyn CredentialSource> = match source {
            KeySource::Environment => standard(credentials),
            KeySource::Nowhere | KeySource::Simulator => Arc::new(credentials),
        };
        let keys = match source {
            KeySource::Environment => with_store(keys, &settings.aws, &http, credentials.clone()),
            KeySource::Nowhere | KeySource::Simulator => keys,
        };
        let keys: Arc<dyn Keys> = Arc::new(keys);
        let signer: Arc<dyn Signer> = Arc::new(SigV4Signer::new(Arc::clone(&credentials)));
        Ok(Environment { settings, keys, signer, credentials, source, http, _simulator: simulator })
    }

    /// Whether there are AWS credentials.
    pub(crate) async fn credentials(&self) -> Result<(), Error> {
        self.credentials.credentials().await.map(|_| ())
    }

    /// An executor under these settings for what is read from a file. A bucket that the command
    /// line names may be read.
    pub(crate) fn executor_for(&self, file: &Path) -> Executor {
        let Settings { endpoints, mut rules, config_cache, .. } = self.settings.clone();
        let named = input::hosted(file).and_then(|url| parse_config_url(url).ok());
        if let Some(DocumentLocation::Object { bucket, .. }) = named {
            let allowed = rules.hosted.bucket.iter().cloned().collect();
            rules.hosted.buckets.get_or_insert(allowed).push(bucket);
        }
        let documents = CachedDocuments::new(self.documents(), config_cache);
        Executor::new(endpoints, Arc::clone(&self.keys), rules)
            .with_http(self.http.clone())
            .with_signer(Arc::clone(&self.signer))
            .with_documents(Arc::new(documents))
    }

    /// The function under these settings.
    pub(crate) fn function(&self) -> Function {
        let AwsSettings { region, s3, sqs, events, .. } = self.settings.aws.clone();
        let aws = self.aws();
        let messenger = AwsMessenger::new(Arc::clone(&aws), region.clone(), sqs, events);
        Function::new(&self.settings, Arc::clone(&self.keys))
            .with_http(self.http.clone())
            .with_signer(Arc::clone(&self.signer))
            .with_documents(self.documents())
            .with_results(Arc::new(S3Results::new(aws, region, s3)), Arc::new(messenger))
    }

    /// Where hosted configs are fetched: S3 and pages.
    fn documents(&self) -> Arc<dyn DocumentStore> {
        let AwsSettings { region, s3, .. } = self.settings.aws.clone();
        let web = WebConfigFetcher::new(self.settings.config_hosts.clone());
        Arc::new(DocumentStores {
            s3: Some(Arc::new(S3Documents::new(self.aws(), region, s3))),
            web: Some(Arc::new(web)),
        })
    }

    /// AWS, as its user. Whom the simulator stands for, it does not stand for S3: the user's own
    /// credentials are taken.
    fn aws(&self) -> Arc<Aws> {
        let credentials: Arc<dyn CredentialSource> = match self.source {
            KeySource::Environment => Arc::clone(&self.credentials),
            KeySource::Simulator | KeySource::Nowhere => {
                // A file that can't be read is told where its keys are needed.
                let file = keys_of(Path::new(".env"), self.settings.rules.providers);
                standard(own_credentials(Arc::new(file.unwrap_or_default())))
            }
        };
        Arc::new(Aws::new(self.http.clone(), credentials))
    }
}

/// The environment's credentials, else those of AWS's standard chain.
#[cfg(feature = "aws-profile")]
fn standard(environment: EnvironmentCredentials) -> Arc<dyn CredentialSource> {
    const SIGNS: &[&str] = &[
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    let home = set_variable("HOME").or_else(|| set_variable("USERPROFILE"));
    let is_configured = SIGNS.iter().any(|name| set_variable(name).is_some())
        || home.is_some_and(|home| Path::new(&home).join(".aws").exists());
    Arc::new(crate::standard_chain::StandardChain::after(environment, is_configured))
}

/// The environment's credentials alone: this program was built without AWS's standard chain.
#[cfg(not(feature = "aws-profile"))]
fn standard(environment: EnvironmentCredentials) -> Arc<dyn CredentialSource> {
    Arc::new(environment)
}

/// Parameter Store holds what no variable and no file sets, where a region is set. Without
/// credentials it says so at once: nobody is asked.
fn with_store(
    keys: EnvironmentKeys,
    aws: &AwsSettings,
    http: &HttpClient,
    credentials: Arc<dyn CredentialSource>,
) -> EnvironmentKeys {
    let Some(region) = &aws.region else {
        return keys;
    };
    let client = Arc::new(Aws::new(http.clone(), credentials));
    let ssm = Ssm::new(client, region.clone(), aws.ssm.clone());
    keys.or_else(Arc::new(SsmKeys::new(ssm, &aws.stack_name, aws.secret_cache)))
}

/// The user's AWS credentials. They belong together: all of them are of one source.
fn own_credentials(file: Arc<HashMap<String, String>>) -> EnvironmentCredentials {
    EnvironmentCredentials::new(move |name| {
        let set = VARIABLES.iter().any(|name| set_variable(name).is_some());
        if set { set_variable(name) } else { file.get(name).cloned() }
    })
}

/// Where the simulator stands for a provider: at the path of the provider's own base URL.
fn simulated_url(simulator: &Simulator, row: &ProviderRow) -> String {
    let path = match row.base_url_setting {
        COMPATIBLE_SETTING => "v1",
        _ => row.base_url.splitn(4, '/').nth(3).unwrap_or_default(),
    };
    format!("{}/{path}", simulator.url())
}

/// The simulator takes any key; the endpoint's own is still the user's.
fn simulated_key(name: &str) -> Option<String> {
    if endpoint_key().is_set_by(name) {
        return variable(name);
    }
    Some("simulated".to_owned())
}

/// The keys that a `.env` file sets, by their variables' names; no file, no keys.
fn keys_of(path: &Path, providers: Providers) -> Result<HashMap<String, String>, String> {
    if !path.exists() {
        return Ok(HashMap::new());
    }
    let endpoint = endpoint_key();
    let is_key = |name: &str| {
        let of = |row: &ProviderRow| row.key().is_some_and(|key| key.is_set_by(name));
        providers.all().any(of) || endpoint.is_set_by(name) || VARIABLES.contains(&name)
    };
    // The reader's own message would quote the line, and the line may hold a key.
    let broken = |_| format!("{} can't be read: a line of it is not NAME=value", path.display());
    let text = std::fs::read(path)
        .map_err(|error| format!("{} can't be read: {error}", path.display()))?;
    // Editors on Windows put a byte order mark in front.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    // The reader would put the shell's variables in: another provider's key, say.
    for line in String::from_utf8_lossy(text).lines() {
        let line = line.trim().trim_start_matches("export ");
        if let Some((name, value)) = line.split_once('=')
            && is_key(name.trim())
            && value.contains('$')
            && !value.trim().starts_with('\'')
        {
            let (path, name) = (path.display(), name.trim());
            return Err(format!("{path}: the value of {name} holds a $; put it in single quotes"));
        }
    }
    let mut keys = HashMap::new();
    for entry in dotenvy::from_read_iter(text) {
        let (name, value) = entry.map_err(broken)?;
        if is_key(&name) {
            keys.insert(name, value);
        }
    }
    Ok(keys)
}
