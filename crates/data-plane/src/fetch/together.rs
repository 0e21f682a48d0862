//! Several futures at once on the task that waits for them: they end with it (I22), and a panic in one is the
//! request's own (I24).

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// A future to be awaited with others.
pub(super) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The results in order, or the first error to come, which ends the others. For a handful of futures: each
/// wake-up polls all of them.
///
/// # Errors
/// That of the future.
pub(super) async fn together<T, E>(futures: Vec<Boxed<'_, Result<T, E>>>) -> Result<Vec<T>, E> {
    let mut running: Vec<_> = futures.into_iter().map(Some).collect();
    let mut done: Vec<Option<T>> = running.iter().map(|_| None).collect();
    poll_fn(|cx| {
        let mut waiting = false;
        for (slot, result) in running.iter_mut().zip(&mut done) {
            let Some(future) = slot else { continue };
            match future.as_mut().poll(cx) {
                Poll::Ready(Ok(value)) => {
                    *result = Some(value);
                    *slot = None;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => waiting = true,
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(Ok(())) }
    })
    .await?;
    Ok(done.into_iter().flatten().collect())
}
