//! Compares the tables and lists of event sources in the documentation with the data files of the
//! sources. `scripts/update` rewrites them.

use llm_exe_events::SOURCES;
use llm_exe_testkit::event_sources::{SourceFile, source_files};
use llm_exe_testkit::generated::{check_marked, check_table};

/// Returns the sources with their data files, direct requests first and unsupported events last.
fn sources() -> Vec<(&'static str, SourceFile)> {
    let mut files = source_files().unwrap();
    let direct = SOURCES.iter().filter(|source| source.name() == "direct");
    let names = direct.chain(SOURCES).map(|source| source.name());
    // A source with several response formats has several entries but one file.
    names.filter_map(|name| Some((name, files.remove(name)?))).collect()
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

#[test]
fn tables_of_sources_are_up_to_date() {
    let mut table = vec![row(&["source", "detected by", "records", "response"])];
    let mut ids = vec![row(&["request from", "id"])];
    for (name, file) in sources() {
        let description = file.description.map(|text| format!(": {text}")).unwrap_or_default();
        let source = format!("`{name}`{description}");
        table.push(row(&[&source, &file.detected_by, &file.records, &file.response]));
        ids.extend(file.ids.iter().map(|(from, id)| row(&[from, id])));
    }
    check_table("docs/events.md", "sources", &table).unwrap();
    check_table("docs/events.md", "ids", &ids).unwrap();
}

#[test]
fn lists_of_sources_are_up_to_date() {
    let sources = sources();
    let list = |selected: &dyn Fn(&SourceFile) -> bool| {
        let files = sources.iter().map(|(_, file)| file).filter(|file| selected(file));
        let names: Vec<&str> = files.filter_map(|file| file.service.as_deref()).collect();
        let (last, names) = names.split_last().unwrap();
        format!("{} and {last}", names.join(", "))
    };
    check_marked("README.md", "sources", &list(&|_| true)).unwrap();
    let without_results = list(&|file| !file.returns_results);
    check_marked("docs/results.md", "sources", &without_results).unwrap();
}
