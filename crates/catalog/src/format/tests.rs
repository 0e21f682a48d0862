use super::*;

#[test]
fn what_is_written_is_read_again() {
    let catalog = Catalog::builtin().unwrap();
    let text = to_compact(&catalog);
    let back = read(&text).unwrap();
    assert_eq!(back.models(), catalog.models());
    assert_eq!(back.providers(), catalog.providers());
    assert_eq!(
        back.price_version(),
        catalog.price_version(),
        "the committed file is as the writer writes it"
    );
    assert_eq!(to_compact(&back), text);
}

#[test]
fn a_line_holds_one_entry() {
    let catalog = Catalog::builtin().unwrap();
    let text = to_compact(&catalog);
    let entries = text.lines().filter(|l| l.starts_with("{\"id\"") || l.starts_with("{\"slug\"")).count();
    assert_eq!(entries, catalog.models().len() + catalog.providers().len());
    assert!(text.len() < 700_000, "{} bytes", text.len());
}

#[test]
fn other_documents_are_refused_with_the_place() {
    assert!(recognise("  {\n \"format\":\"x\"}") && !recognise("{\"schema\":1}") && !recognise("[]"));
    let later = read(r#"{"format":"tollgate-catalog/2","date":"2026-01-01","providers":[],"models":[]}"#)
        .unwrap_err();
    assert!(later.to_string().contains("tollgate-catalog/2"), "{later}");
    let unknown = read(r#"{"format":"tollgate-catalog/1","date":"2026-01-01","providers":[],"modles":[]}"#)
        .unwrap_err();
    assert!(unknown.to_string().contains("modles"), "{unknown}");
    let broken = read("{\"format\":\"tollgate-catalog/1\",\n\"date\":\"2026-02-30\"").unwrap_err();
    assert!(broken.to_string().contains("line 2"), "{broken}");
}
