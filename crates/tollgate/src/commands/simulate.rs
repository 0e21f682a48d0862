//! `tollgate simulate`: the provider simulator alone.

use tollgate_simulator::{Options, run_standalone};

use crate::cli::Simulate;
use crate::config::{self, Environment};
use crate::failure::Failure;
use crate::serve::shutdown;
use crate::{output, place};

/// `tollgate simulate`.
///
/// # Errors
/// When the script cannot be read or the address cannot be listened on.
pub fn run(args: &Simulate, environment: &Environment) -> anyhow::Result<()> {
    let filter = environment.get("TOLLGATE_LOG").unwrap_or("warn");
    tollgate_telemetry::logs::init(filter, tollgate_telemetry::logs::Format::Text)
        .map_err(|e| Failure::usage(e.to_string()))?;
    let options = Options {
        listen: config::address(&args.listen).map_err(|f| f.at("--listen"))?,
        ..Options::default()
    };
    place::small_runtime()?.block_on(async {
        let stop = shutdown::on_signal();
        let started = |address| {
            // Whoever started it with a closed standard output does not want to read the address.
            let _ = output::text(&format!(
                "Simulating providers on http://{address}\nOpenAI protocol under /v1/chat/completions, Anthropic under /v1/messages, control under /__sim/\n"
            ));
        };
        run_standalone(options, args.script.as_deref(), started, stop.cancelled()).await.map_err(|e| Failure::new(e.to_string()))
    })?;
    Ok(())
}
