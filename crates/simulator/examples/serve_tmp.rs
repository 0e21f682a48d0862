//! Temporary.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let o = tollgate_simulator::Options { listen: ([127, 0, 0, 1], 9177).into(), ..Default::default() };
    let _ = tollgate_simulator::run_standalone(
        o,
        None,
        |_| (),
        tokio::time::sleep(std::time::Duration::from_secs(25)),
    )
    .await;
}
