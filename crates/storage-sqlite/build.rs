//! Cargo does not see by itself that `embed_migrations!` reads a folder.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations/sqlite");
}
