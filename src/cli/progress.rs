use std::future::Future;
use std::time::Duration;

use indicatif::ProgressBar;

/// Shows a spinner with `message` on standard error while `work` runs; nothing where that is no terminal.
pub async fn during<T>(message: &'static str, work: impl Future<Output = T>) -> T {
    let spinner = ProgressBar::new_spinner().with_message(message);
    spinner.enable_steady_tick(Duration::from_millis(100));
    let result = work.await;
    spinner.finish_and_clear();
    result
}
