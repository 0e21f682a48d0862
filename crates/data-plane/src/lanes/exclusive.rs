//! An HTTP/1.1 connection, driven by the task that uses it. A task of its own would cost a wake-up and a
//! queue of one for every frame, and would keep frames from being joined; a dropped connection is closed
//! at once (I22).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;

type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connection that serves one request at a time.
pub(crate) struct Exclusive {
    sender: http1::SendRequest<Full<Bytes>>,
    /// Reads and writes; `None` when the connection has ended.
    driver: Option<Driver>,
}

impl Exclusive {
    pub(super) fn new<T>(
        sender: http1::SendRequest<Full<Bytes>>,
        connection: http1::Connection<T, Full<Bytes>>,
    ) -> Self
    where
        T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        // Its errors reach the request or body that is waiting on it.
        let driver = Box::pin(async move {
            let _ = connection.await;
        });
        Self { sender, driver: Some(driver) }
    }

    /// Reads and writes what can be read and written now.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && driver.as_mut().poll(cx).is_ready()
        {
            self.driver = None;
        }
    }

    /// Whether it was closed, as far as can be seen without waiting.
    pub(super) fn has_ended(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.driver.is_none()
    }

    /// Waits until it takes a request.
    ///
    /// # Errors
    /// It was closed.
    pub(super) async fn ready(&mut self) -> Result<(), hyper::Error> {
        std::future::poll_fn(|cx| {
            self.drive(cx);
            self.sender.poll_ready(cx)
        })
        .await
    }

    /// Sends a request and waits for response headers.
    ///
    /// # Errors
    /// It was closed or broke.
    pub(super) async fn send(
        &mut self,
        request: http::Request<Full<Bytes>>,
    ) -> Result<http::Response<Incoming>, hyper::Error> {
        let mut response = std::pin::pin!(self.sender.send_request(request));
        let driver = &mut self.driver;
        std::future::poll_fn(|cx| {
            if let Some(running) = driver
                && running.as_mut().poll(cx).is_ready()
            {
                *driver = None;
            }
            response.as_mut().poll(cx)
        })
        .await
    }

    /// The next frame of the answer's body.
    pub(super) fn poll_frame(
        &mut self,
        body: Pin<&mut Incoming>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, hyper::Error>>> {
        let mut body = body;
        match http_body::Body::poll_frame(body.as_mut(), cx) {
            // The body asks for more; the connection fetches it.
            Poll::Pending => {
                self.drive(cx);
                http_body::Body::poll_frame(body, cx)
            }
            ready => ready,
        }
    }
}

impl std::fmt::Debug for Exclusive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exclusive").field("open", &self.driver.is_some()).finish()
    }
}
