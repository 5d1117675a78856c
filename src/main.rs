//! The program: a runtime and the command line. The runtime has threads because the engine and the
//! store are asynchronous; parsing has threads of its own.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    lightsout::cli::main().await
}
