//! Every file of the corpora, read again.

use std::fs;
use std::path::Path;

use doorbell_targets::TARGETS;

#[test]
fn what_was_ever_found_still_holds() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for (name, target) in TARGETS {
        let folder = fs::read_dir(corpora.join(name)).expect("each target has a corpus");
        let mut files = 0;
        for entry in folder {
            let path = entry.expect("a file").path();
            target(&fs::read(&path).expect("a file that can be read"));
            files += 1;
        }
        assert!(files > 3, "{name} has {files} files");
    }
}
