/// Keeps other programs of this user from reading the process' memory, and its memory out of core dumps: private texts are in it.
pub fn shield() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            tracing::debug!(%error, "the process can be dumped");
        }
    }
}
