//! The program: a runtime and the command line. The runtime has threads because the engine and the
//! store are asynchronous; parsing has threads of its own.

#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "help texts are shown as they stand: path,tenant_id[,category]"
)]

mod cli;

use std::process::ExitCode;

/// An expression is computed by functions that call themselves, level by level.
const STACK_BYTES: usize = 16 << 20;

fn main() -> ExitCode {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK_BYTES)
        // One that hears of time limits and of Ctrl-C while a query computes on all cores.
        .worker_threads(cores + 1)
        .build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(cli::main());
            // A query that was stopped may still be computing, and nobody waits for it. The threads are left
            // to the system: to shut down without waiting detaches each while it exits, and `pthread_detach` of
            // glibc 2.36 may read the stack that the thread has just given back: SIGSEGV, after all was done.
            std::mem::forget(runtime);
            code
        }
        Err(error) => {
            lightsout_output::stderr!("lightsout: starting threads: {error}");
            ExitCode::FAILURE
        }
    }
}
