//! `[limits]` over the defaults of the data plane (I23, I26).

use tollgate_data_plane::Settings;
use tollgate_data_plane::lanes::LaneSettings;

use super::{File, positive};

/// The limits in force.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of requests.
    pub settings: Settings,
    /// Of connections to providers.
    pub lanes: LaneSettings,
}

impl Limits {
    pub(super) fn new(file: &File) -> Self {
        let limits = &file.limits;
        let (mut settings, mut lanes) = (Settings::default(), LaneSettings::default());
        settings.max_body_bytes = file.server.max_body.map_or(settings.max_body_bytes, |s| s.0);
        settings.max_reply_bytes = limits.max_reply.map_or(settings.max_reply_bytes, |s| s.0);
        settings.max_open_requests = limits.open_requests.unwrap_or(settings.max_open_requests);
        for (slot, value) in [
            (&mut settings.request_head_timeout, limits.request_head),
            (&mut settings.request_body_timeout, limits.request_body),
            (&mut settings.first_content_timeout, limits.first_content),
            (&mut settings.event_gap_timeout, limits.event_gap),
            (&mut settings.total_timeout, limits.total),
            (&mut settings.keep_alive, limits.keep_alive),
            (&mut lanes.connect_timeout, limits.connect),
            (&mut lanes.idle_timeout, limits.idle_connection),
        ] {
            *slot = positive(value, *slot);
        }
        let retry = &mut settings.retry;
        retry.attempts_per_target = limits.attempts_per_target.unwrap_or(retry.attempts_per_target).max(1);
        retry.attempts_total = limits.attempts.unwrap_or(retry.attempts_total).max(1);
        Self { settings, lanes }
    }
}
