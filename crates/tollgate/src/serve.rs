//! `tollgate serve`: the life of the process, from opening the store to the drain.

mod bootstrap;
mod compose;
pub mod shutdown;
mod watch;
mod welcome;

use tokio::net::TcpListener;
use tollgate_data_plane::Server;
use tollgate_store_sqlite::{Role, SqliteStore};

use crate::cli::Serve;
use crate::config::{Config, Environment, Flags};
use crate::demo::Demo;
use crate::failure::Failure;
use crate::{catalog_file, output, place, providers};

/// `tollgate serve`.
///
/// # Errors
/// When it cannot start, or the ledger could not be written at the end.
pub fn run(args: &Serve, environment: &Environment) -> anyhow::Result<()> {
    let flags = Flags { place: args.place.clone(), listen: args.listen.clone(), demo: args.demo };
    let config = Config::load(&flags, environment)?;
    config.start_logging()?;
    let runtime = runtime()?;
    runtime.block_on(Box::pin(live(&config, environment, args.demo)))?;
    // What still runs in the background (a name that is being resolved) is not waited for.
    runtime.shutdown_background();
    Ok(())
}

/// A worker a processor; without threads where there is one processor, since they would only get in each
/// other's way.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if processors == 1 {
        return place::small_runtime();
    }
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("the runtime could not be started: {error}")))
}

async fn live(config: &Config, environment: &Environment, demo: bool) -> Result<(), Failure> {
    // Signals are caught from here on: what is opened below is closed in order.
    let stop = shutdown::on_signal();
    // The store first: its lock says most clearly that another Tollgate runs here.
    let store = place::open_store(config, Role::Server)?;
    if store.recovered() > 0 {
        tracing::warn!(
            requests = store.recovered(),
            "requests were running when the last process ended; the ledger shows them as interrupted"
        );
    }
    let demo = if demo { Some(Demo::start().await?) } else { None };
    let served = serve(config, environment, &store, demo.as_ref(), stop).await;
    if let Some(demo) = demo {
        demo.shutdown().await;
    }
    let closed =
        store.close().await.map_err(|error| place::refused(&error).at("the ledger could not be completed"));
    served.and(closed)
}

async fn serve(
    config: &Config,
    environment: &Environment,
    store: &SqliteStore,
    demo: Option<&Demo>,
    stop: tokio_util::sync::CancellationToken,
) -> Result<(), Failure> {
    let catalog = catalog_file::in_force(config, demo.map(Demo::overlay).unwrap_or_default())?;
    let mut configured = providers::configured(&catalog, config, environment);
    if let Some(demo) = demo {
        demo.credentials(&mut configured);
        demo.play(&catalog, store).await?;
    }
    let listener = listen(config).await?;
    let address =
        listener.local_addr().map_err(|e| Failure::new(format!("the address is not known: {e}")))?;
    let first_key = bootstrap::first_key(config, store).await?;
    let parts = compose::gateway(config, catalog, &configured, store).await?;
    let welcome =
        welcome::Welcome { config, address, first_key: &first_key, parts: &parts, demo: demo.is_some() };
    output::text(&welcome.to_string())?;
    let watching = tokio::spawn(watch::keys(parts.gateway.clone(), store.keys(), parts.revisions));
    let cut = Server::new(parts.gateway).serve(listener, stop, config.grace).await;
    watching.abort();
    if cut > 0 {
        tracing::warn!(connections = cut, grace = ?config.grace, "connections were cut when the grace period ended");
    }
    Ok(())
}

async fn listen(config: &Config) -> Result<TcpListener, Failure> {
    TcpListener::bind(config.listen).await.map_err(|error| {
        let failure = Failure::new(format!("{} cannot be listened on: {error}", config.listen));
        match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                failure.next("stop the program that uses it, or choose another with --listen")
            }
            std::io::ErrorKind::PermissionDenied => failure.next("choose a port above 1023 with --listen"),
            _ => failure.next("choose an address of this machine with --listen"),
        }
    })
}
