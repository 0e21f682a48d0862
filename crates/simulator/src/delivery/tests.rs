use super::*;

fn reply(pieces: usize) -> Reply {
    let mut all = vec![Piece::frame(&b"[head]"[..])];
    all.extend((0..pieces).map(|n| Piece::content(format!("[{n}]"))));
    all.push(Piece::frame(&b"[tail]"[..]));
    Reply {
        status: 200,
        headers: vec![("content-type".to_owned(), "t/e".to_owned())],
        body: Body::Pieces(all),
    }
}

fn planned(reply: Reply, fault: Option<Fault>, pace: Pace) -> Delivery {
    let dressing = Dressing {
        error_event: ErrorEvent::Same(Bytes::from_static(b"[error]")),
        error_body: Bytes::from_static(b"{error}"),
        event_name: Some("named"),
    };
    let manner = Manner {
        pace: &pace,
        gap: Duration::ZERO,
        fault: fault.as_ref(),
        dressing,
        keep_alive: true,
        join: true,
    };
    plan(reply, &manner)
}

/// All that is written, with `|` where the client has to wait and `*` where it waits for ever.
fn shown(delivery: &Delivery) -> String {
    let step = |step: &Step| match step {
        Step::Write(bytes) => String::from_utf8_lossy(bytes).replace("\r\n", "~"),
        Step::Wait(_) => "|".to_owned(),
        Step::Stall => "*".to_owned(),
    };
    delivery.steps.iter().map(step).collect()
}

const HEAD: &str = "HTTP/1.1 200 OK~content-type: t/e~transfer-encoding: chunked~~6~[head]~";

fn with(fault: Fault) -> (String, End) {
    let delivery = planned(reply(3), Some(fault), Pace::default());
    let text = shown(&delivery);
    (text.strip_prefix(HEAD).unwrap_or(&text).to_owned(), delivery.end)
}

#[test]
fn a_stream_without_fault_or_pace_is_one_write() {
    let delivery = planned(reply(2), None, Pace::default());
    assert_eq!(delivery.steps.len(), 1);
    assert_eq!(shown(&delivery), format!("{HEAD}3~[0]~3~[1]~6~[tail]~0~~"));
    assert_eq!((delivery.end, delivery.stream), (End::KeepAlive, true));
}

#[test]
fn a_pace_waits_before_the_head_and_between_content() {
    let pace = Pace { delay_ms: 5, ttft_ms: 5, first_ms: 1, gap_ms: Some(2) };
    let delivery = planned(reply(2), None, pace);
    assert_eq!(shown(&delivery), format!("|{HEAD}|3~[0]~|3~[1]~6~[tail]~0~~"));
    assert_eq!(delivery.steps.first(), Some(&Step::Wait(Duration::from_millis(10))));
}

#[test]
fn cuts_come_after_so_many_content_events() {
    let cut = |after, how| with(Fault::Cut { after, how });
    assert_eq!(cut(0, CutHow::Reset), (String::new(), End::Reset));
    assert_eq!(cut(2, CutHow::Close), ("3~[0]~3~[1]~".to_owned(), End::Close));
    assert_eq!(cut(3, CutHow::End), ("3~[0]~3~[1]~3~[2]~0~~".to_owned(), End::KeepAlive));
    assert_eq!(cut(4, CutHow::Reset), ("3~[0]~3~[1]~3~[2]~6~[tail]~0~~".to_owned(), End::KeepAlive));
}

#[test]
fn faults_inside_a_stream_strike_where_they_should() {
    assert_eq!(with(Fault::Stall { after: 1 }), ("3~[0]~*".to_owned(), End::Close));
    assert_eq!(with(Fault::ErrorEvent { after: 1 }), ("3~[0]~7~[error]~0~~".to_owned(), End::KeepAlive));
    let (text, end) = with(Fault::Malformed { after: 1 });
    assert!(text.starts_with("3~[0]~") && text.contains("event: named\ndata: {\"this is not"), "{text}");
    assert!(text.ends_with("3~[1]~3~[2]~6~[tail]~0~~") && end == End::KeepAlive, "{text}");
    let (text, _) = with(Fault::Oversized { after: 3, bytes: 5000 });
    assert!(text.len() > 5000 && text.ends_with("6~[tail]~0~~"));
}

#[test]
fn faults_before_the_headers_write_nothing() {
    assert_eq!(with(Fault::ResetBeforeHeaders), (String::new(), End::Reset));
    assert_eq!(with(Fault::CloseBeforeHeaders), (String::new(), End::Close));
    assert_eq!(with(Fault::Hang), ("*".to_owned(), End::Close));
}

#[test]
fn a_whole_body_is_struck_in_its_middle() {
    let whole = |fault| {
        let delivery = planned(Reply::bytes(200, "t/e", "0123456789"), Some(fault), Pace::default());
        let text = shown(&delivery);
        (text.replace("HTTP/1.1 200 OK~content-type: t/e~content-length: ", ""), delivery.end)
    };
    let cut = |how| whole(Fault::Cut { after: 9, how });
    assert_eq!(cut(CutHow::Reset), ("10~~01234".to_owned(), End::Reset));
    assert_eq!(cut(CutHow::End), ("5~~01234".to_owned(), End::KeepAlive));
    assert_eq!(whole(Fault::Stall { after: 0 }), ("10~~01234*".to_owned(), End::Close));
    assert_eq!(whole(Fault::Malformed { after: 0 }).0, "10~~01234#####");
    assert_eq!(whole(Fault::Oversized { after: 0, bytes: 2 }).0, "12~~  0123456789");
    assert_eq!(whole(Fault::ErrorEvent { after: 0 }).0, "7~~{error}");
    assert_eq!(whole(Fault::EmptyBody).0, "0~~");
}

#[test]
fn a_drip_keeps_the_bytes_and_their_order() {
    let plain = shown(&planned(reply(2), None, Pace::default()));
    let drip = planned(reply(2), Some(Fault::SlowDrip { bytes: 3, every_ms: 1 }), Pace::default());
    assert!(drip.steps.iter().all(|s| !matches!(s, Step::Write(b) if b.len() > 3)));
    let written: Vec<u8> = drip
        .steps
        .iter()
        .filter_map(|s| if let Step::Write(b) = s { Some(b.to_vec()) } else { None })
        .flatten()
        .collect();
    assert_eq!(String::from_utf8(written).unwrap().replace("\r\n", "~"), plain);
    assert_eq!(drip.steps.iter().filter(|s| matches!(s, Step::Wait(_))).count(), drip.steps.len() / 2);
}

#[test]
fn a_connection_that_is_to_close_says_so() {
    let pace = Pace::default();
    let manner = Manner {
        pace: &pace,
        gap: Duration::ZERO,
        fault: None,
        dressing: Dressing::default(),
        keep_alive: false,
        join: true,
    };
    let delivery = plan(Reply::bytes(200, "t/e", "x"), &manner);
    assert!(shown(&delivery).contains("connection: close~"));
    assert_eq!(delivery.end, End::Close);
}
