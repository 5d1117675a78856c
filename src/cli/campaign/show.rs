//! `lightsout campaign show`: a campaign's rules as its author wrote them, comments too.

use clap::Args;

use super::super::shared::print;
use crate::cli::failure::Result;
use lightsout_config::campaign_file::EMBEDDED;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// A built-in campaign or a TOML file [default: basic-auth-all-protocols]
    #[arg(value_name = "NAME|FILE")]
    name: Option<String>,
    /// Same as the argument
    #[arg(long = "campaign", value_name = "NAME|FILE", conflicts_with = "name")]
    flag: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    let name = arguments.name.as_deref().or(arguments.flag.as_deref()).unwrap_or(EMBEDDED[0].0);
    let text = lightsout_config::campaign_file::read(name)?;
    lightsout_config::campaign_file::parse(&text, name)?;
    print(text.trim_end());
    Ok(0)
}
