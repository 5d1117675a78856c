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
            // Stopped queries may still be computing. Don't wait for them, and don't shut the runtime down either:
            // `shutdown_background` detaches threads that are about to exit, and `pthread_detach` of glibc 2.36 may
            // then read a stack that is already unmapped (SIGSEGV after all work is done).
            std::mem::forget(runtime);
            code
        }
        Err(error) => {
            lightsout_output::stderr!("lightsout: starting threads: {error}");
            ExitCode::FAILURE
        }
    }
}
