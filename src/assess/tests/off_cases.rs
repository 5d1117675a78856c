//! Cases of tenants whose log is well seen and some of whose protocols are off already.

use super::case::{Case, case};
use lightsout_model::protocol::Protocol::*;

#[rustfmt::skip]
pub(super) fn cases() -> Vec<Case> {
    vec![
        case("what is off needs no switching off, and leaves what is unused clear")
            .roster_enables(&[SmtpAuth, Imap4])
            .no_impact("unused").want("clear", "imap4;smtp_auth").want("pop3", "already_off"),
        case("a neighbour that is off does not keep its group from being cleared")
            .roster_enables(&[Imap4, ExchangeWebServices]).used(Imap4, 1, 1)
            .warning("in_use imap4 1 1").want("clear", "exchange_web_services"),
        case("usage of a neighbour keeps what is on, whoever says that the neighbour is off")
            .roster_enables(&[Imap4, ExchangeWebServices]).used(MapiOverHttp, 1, 1)
            .warning("in_use mapi_over_http 1 1").want("clear", "imap4").want("mapi_over_http", "in_use"),
        case("a sign-in without a status is no doubt of a protocol that is off")
            .roster_enables(&[Imap4]).unknown(Pop3, 2)
            .no_impact("unused").want("clear", "imap4").want("pop3", "already_off"),
        case("what was only tried is told of a protocol that is on, and not of one that is off")
            .roster_enables(&[Imap4]).failed(Pop3, 9).failed(Imap4, 4)
            .no_impact("attempted imap4 4").want("pop3", "already_off"),
        case("a doubt of the whole tenant does not turn on what is off")
            .roster_enables(&[Imap4]).not_stated(1)
            .insufficient("client_not_stated 1").want("clear", "").want("pop3", "already_off"),
        case("a tenant with nothing left to switch off is left out, whatever its log lacks")
            .roster_enables(&[]).nothing_in_the_lake()
            .left_out("already_off roster").want("clear", ""),
        case("a roster that excludes says so before what is off")
            .roster_enables(&[]).excluded("merger")
            .left_out("excluded merger").want("pop3", "already_off"),
    ]
}
