//! An agent's settings as a value.

/// What to tell one agent.
#[derive(Debug, Default)]
pub struct Plan {
    /// What people call it.
    pub name: &'static str,
    /// The file it reads, when it reads one that can be written.
    pub file: Option<ClientFile>,
    /// What is to be done by hand, in this order.
    pub steps: Vec<String>,
    /// What is good to know.
    pub notes: Vec<String>,
    /// A command that shows that it works.
    pub trial: Option<&'static str>,
}

/// A settings file of an agent.
#[derive(Debug)]
pub struct ClientFile {
    /// The variable that moves the agent's configuration folder, when it has one.
    pub folder_variable: Option<&'static str>,
    /// The folder otherwise.
    pub folder: Home,
    /// Names under which the agent looks for it, the one to be preferred first; the last is the one
    /// that is made when there is none.
    pub names: &'static [&'static str],
    /// Its form.
    pub format: Format,
    /// What is set in it.
    pub settings: Vec<Setting>,
    /// What would be used before these settings and is therefore taken out: other forms of the same key.
    pub obsolete: Vec<Vec<String>>,
    /// What is left alone and may be in the way, with a sentence about it.
    pub in_the_way: Vec<(Vec<String>, &'static str)>,
}

/// A folder under the user's home folder.
#[derive(Clone, Copy, Debug)]
pub enum Home {
    /// Beside the user's other folders: `~/.claude`.
    Dot(&'static str),
    /// Under `$XDG_CONFIG_HOME` or `~/.config`.
    Config(&'static str),
}

/// The form of a settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON without comments.
    Json,
    /// TOML; its comments and its order stay.
    Toml,
}

/// One member of the file.
#[derive(Debug)]
pub struct Setting {
    /// The names on the way to it, from the outermost.
    pub path: Vec<String>,
    /// What it is set to.
    pub value: String,
    /// Whether the value must not be shown among the changes.
    pub secret: bool,
}

impl Setting {
    /// A setting that may be shown.
    pub fn new(path: &[&str], value: impl Into<String>) -> Self {
        Self { path: names(path), value: value.into(), secret: false }
    }

    /// A setting whose value is a secret.
    pub fn secret(path: &[&str], value: impl Into<String>) -> Self {
        Self { secret: true, ..Self::new(path, value) }
    }
}

/// A path in owned form.
pub fn names(path: &[&str]) -> Vec<String> {
    path.iter().map(|&name| name.to_owned()).collect()
}
