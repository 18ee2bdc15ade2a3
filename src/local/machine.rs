//! What this machine has to give.

use std::path::Path;

use sysinfo::{Disks, MemoryRefreshKind, RefreshKind, System};

/// Memory that can be had without swapping, in bytes, where the system says so.
pub fn free_memory() -> Option<u64> {
    let only_memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let free = System::new_with_specifics(only_memory).available_memory();
    Some(free).filter(|free| *free > 0)
}

/// Bytes that are free on the disk that `path` is on, or will be on, where the system says so.
pub fn free_disk(path: &Path) -> Option<u64> {
    let there = path.ancestors().find_map(|folder| folder.canonicalize().ok())?;
    let disks = Disks::new_with_refreshed_list();
    let holding = disks.iter().filter(|disk| there.starts_with(disk.mount_point()));
    let nearest = holding.max_by_key(|disk| disk.mount_point().components().count())?;
    Some(nearest.available_space())
}

/// Processor cores that programs can use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}
