//! Converts the feed into the compact catalog: `convert MODELS.json PROVIDERS.json OUT.json`.

use std::process::ExitCode;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [models, providers, out] = arguments.as_slice() else {
        return Err("expected three arguments: MODELS.json PROVIDERS.json OUT.json".into());
    };
    let catalog = tollgate_catalog::import::from_feed(
        &std::fs::read_to_string(models)?,
        &std::fs::read_to_string(providers)?,
    )?;
    std::fs::write(out, tollgate_catalog::to_compact(&catalog))?;
    Ok(ExitCode::SUCCESS)
}
