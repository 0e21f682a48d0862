//! Those who wait for a commit. They share one state for each transaction, and the writer wakes one of them,
//! who wakes the others: waking a task from another thread is a system call, waking it from its own runtime is
//! not, and a writer that wakes many one by one takes turns with them on a machine with one processor.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tollgate_store::StoreError;

/// What somebody who waits is told.
pub(crate) type Outcome = Result<(), StoreError>;

#[derive(Default)]
struct State {
    outcome: Option<Outcome>,
    /// Of those who have asked and are not woken; the place of each is its own.
    sleepers: Vec<Option<Waker>>,
}

type Shared = Mutex<State>;

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake_all(sleepers: Vec<Option<Waker>>) {
    sleepers.into_iter().flatten().for_each(Waker::wake);
}

/// The writer's side. Dropping it tells those who wait that nothing more will come, and wakes who is asleep.
pub(crate) struct Teller(Arc<Shared>);

impl Teller {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// One more who waits.
    pub(crate) fn waiting(&self) -> Waiting {
        Waiting { shared: Arc::clone(&self.0), place: None }
    }

    /// Tells the outcome, the first time, and wakes one who waits.
    pub(crate) fn tell(&self, outcome: Outcome) {
        let mut state = lock(&self.0);
        if state.outcome.is_some() {
            return;
        }
        state.outcome = Some(outcome);
        let first = state.sleepers.iter_mut().find_map(Option::take);
        drop(state);
        if let Some(first) = first {
            first.wake();
        }
    }

    /// Whether somebody still has to be woken by the one who was.
    pub(crate) fn relies_on_the_first(&self) -> bool {
        lock(&self.0).sleepers.iter().any(Option::is_some)
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.outcome.get_or_insert_with(|| {
            Err(StoreError::Unavailable(
                "the ledger ended before the row was written; the next start shows the request as interrupted".to_owned(),
            ))
        });
        let sleepers = std::mem::take(&mut state.sleepers);
        drop(state);
        wake_all(sleepers);
    }
}

/// Resolves with what is told.
pub(crate) struct Waiting {
    shared: Arc<Shared>,
    /// Where its waker is.
    place: Option<usize>,
}

impl Future for Waiting {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let this = self.get_mut();
        let mut state = lock(&this.shared);
        if let Some(outcome) = state.outcome.clone() {
            let others = std::mem::take(&mut state.sleepers);
            drop(state);
            wake_all(others);
            this.place = None;
            return Poll::Ready(outcome);
        }
        match this.place.and_then(|place| state.sleepers.get_mut(place)) {
            Some(Some(known)) if known.will_wake(context.waker()) => {}
            Some(slot) => *slot = Some(context.waker().clone()),
            None => {
                this.place = Some(state.sleepers.len());
                state.sleepers.push(Some(context.waker().clone()));
            }
        }
        Poll::Pending
    }
}

impl Drop for Waiting {
    /// The one who was woken may be gone before it could wake the others.
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let mut state = lock(&self.shared);
        if state.outcome.is_some() {
            let others = std::mem::take(&mut state.sleepers);
            drop(state);
            wake_all(others);
        } else if let Some(slot) = state.sleepers.get_mut(place) {
            *slot = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Sleeper(Pin<Box<Waiting>>, Arc<Count>);

    impl Sleeper {
        fn new(teller: &Teller) -> Self {
            let mut sleeper = Self(Box::pin(teller.waiting()), Arc::default());
            assert!(sleeper.poll().is_none());
            sleeper
        }

        fn poll(&mut self) -> Option<Outcome> {
            let waker = Waker::from(Arc::clone(&self.1));
            match self.0.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => None,
            }
        }

        fn woken(&self) -> usize {
            self.1.0.load(Ordering::Relaxed)
        }
    }

    fn three() -> (Teller, [Sleeper; 3]) {
        let teller = Teller::new();
        let sleepers = [(); 3].map(|()| Sleeper::new(&teller));
        (teller, sleepers)
    }

    #[test]
    fn the_first_wakes_the_others() {
        let (teller, mut all) = three();
        assert!(all[1].poll().is_none(), "asking twice is not waiting twice");
        teller.tell(Ok(()));
        assert_eq!(all.each_ref().map(Sleeper::woken), [1, 0, 0]);
        assert!(teller.relies_on_the_first());
        assert!(matches!(all[0].poll(), Some(Ok(()))));
        assert_eq!(all.each_ref().map(Sleeper::woken), [1, 1, 1]);
        assert!(!teller.relies_on_the_first());
        teller.tell(Err(StoreError::Corrupt("late".to_owned())));
        assert!(matches!(all[2].poll(), Some(Ok(()))), "what was told first stands");
    }

    #[test]
    fn the_first_may_be_gone() {
        let (teller, all) = three();
        teller.tell(Ok(()));
        let [first, second, third] = all;
        drop(first);
        assert_eq!((second.woken(), third.woken()), (1, 1));

        let (teller, all) = three();
        let [first, second, third] = all;
        drop(first);
        teller.tell(Ok(()));
        assert_eq!((second.woken(), third.woken()), (1, 0), "who has left is not woken");
    }

    #[test]
    fn the_end_of_the_writer_wakes_everybody() {
        let (teller, mut all) = three();
        drop(teller);
        assert_eq!(all.each_ref().map(Sleeper::woken), [1, 1, 1]);
        assert!(matches!(all[0].poll(), Some(Err(StoreError::Unavailable(_)))));

        let (teller, all) = three();
        teller.tell(Ok(()));
        drop(teller);
        assert_eq!(all.each_ref().map(Sleeper::woken), [1, 1, 1], "also when the first sleeps on");
    }
}
