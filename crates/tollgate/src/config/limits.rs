//! `[limits]` and `[fetch]` over the defaults of the data plane (I23, I26).

use tollgate_data_plane::Settings;
use tollgate_data_plane::lanes::LaneSettings;

use super::File;
use crate::failure::Failure;

/// The limits in force.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of requests.
    pub settings: Settings,
    /// Of connections to providers.
    pub lanes: LaneSettings,
}

impl Limits {
    /// The defaults, and what the file says instead.
    ///
    /// # Errors
    /// When a limit is zero, with which nothing could be served.
    pub(super) fn new(file: &File) -> Result<Self, Failure> {
        let limits = &file.limits;
        let (mut settings, mut lanes) = (Settings::default(), LaneSettings::default());
        for (name, slot, value) in [
            ("limits.request_head", &mut settings.request_head_timeout, limits.request_head),
            ("limits.request_body", &mut settings.request_body_timeout, limits.request_body),
            ("limits.first_content", &mut settings.first_content_timeout, limits.first_content),
            ("limits.event_gap", &mut settings.event_gap_timeout, limits.event_gap),
            ("limits.total", &mut settings.total_timeout, limits.total),
            ("limits.keep_alive", &mut settings.keep_alive, limits.keep_alive),
            ("fetch.timeout", &mut settings.fetch_timeout, file.fetch.timeout),
            ("limits.connect", &mut lanes.connect_timeout, limits.connect),
            ("limits.idle_connection", &mut lanes.idle_timeout, limits.idle_connection),
        ] {
            set(name, slot, value.map(|d| d.0))?;
        }
        set("server.max_body", &mut settings.max_body_bytes, file.server.max_body.map(|s| s.0))?;
        set("limits.max_reply", &mut settings.max_reply_bytes, limits.max_reply.map(|s| s.0))?;
        set("fetch.max_bytes", &mut settings.max_fetch_bytes, file.fetch.max_bytes.map(|s| s.0))?;
        set("fetch.max_files", &mut settings.max_fetch_files, file.fetch.max_files)?;
        settings.max_fetch_redirects = file.fetch.max_redirects.unwrap_or(settings.max_fetch_redirects);
        settings.allow_private_fetch = file.fetch.allow_private;
        set("limits.open_requests", &mut settings.max_open_requests, limits.open_requests)?;
        set(
            "limits.attempts_per_target",
            &mut settings.retry.attempts_per_target,
            limits.attempts_per_target,
        )?;
        set("limits.attempts", &mut settings.retry.attempts_total, limits.attempts)?;
        Ok(Self { settings, lanes })
    }
}

fn set<T: Default + PartialEq>(name: &str, slot: &mut T, value: Option<T>) -> Result<(), Failure> {
    match value {
        Some(value) if value == T::default() => {
            Err(Failure::usage(format!("{name} is zero, with which nothing can be served"))
                .next("write a larger one, or leave it out for the default"))
        }
        Some(value) => {
            *slot = value;
            Ok(())
        }
        None => Ok(()),
    }
}
