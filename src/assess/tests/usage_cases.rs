//! Cases of tenants whose log is well seen: what their sign-ins decide.

use super::case::{Case, case, case_at};
use lightsout_model::protocol::Protocol::*;

/// All nine of the default scope, and what is left of them without Outlook's four.
const NINE: &str = "pop3;imap4;smtp_auth;exchange_activesync;exchange_web_services;\
    offline_address_book;mapi_over_http;outlook_anywhere_rpc;remote_powershell";
const NOT_OUTLOOK: &str = "pop3;imap4;smtp_auth;exchange_activesync;remote_powershell";
const NOT_POP3: &str = "imap4;smtp_auth;exchange_activesync;exchange_web_services;\
    offline_address_book;mapi_over_http;outlook_anywhere_rpc;remote_powershell";

#[rustfmt::skip]
pub(super) fn cases() -> Vec<Case> {
    vec![
        // Usage.
        case("a tenant seen every day without a legacy sign-in expects no impact")
            .no_impact("unused").want("clear", NINE).want("in_use", "").want("pop3", "unused")
            .want("days", "2026-10-01..2026-10-30"),
        case("one POP3 sign-in of one user is a warning, and the other groups stay clear")
            .used(Pop3, 1, 1)
            .warning("in_use pop3 1 1").want("in_use", "pop3").want("clear", NOT_POP3).want("users", "1"),
        case("two protocols in use are both named, in report order")
            .used(SmtpAuth, 2, 900).used(Imap4, 3, 40)
            .warning("in_use imap4 3 40; in_use smtp_auth 2 900").want("in_use", "imap4;smtp_auth"),
        case("sign-ins of a user without an id count as one user and still warn")
            .used(Imap4, 1, 250)
            .warning("in_use imap4 1 250").want("users", "1"),
        case("a count of sign-ins whose users were not counted is usage all the same")
            .used(Imap4, 0, 7)
            .warning("in_use imap4 0 7"),
        case("a printer at weekends only is usage like any other")
            .used(SmtpAuth, 1, 4)
            .warning("in_use smtp_auth 1 4"),
        case("EWS in use keeps all four protocols of the Outlook group from being cleared")
            .used(ExchangeWebServices, 5, 60)
            .warning("in_use exchange_web_services 5 60").want("clear", NOT_OUTLOOK)
            .want("mapi_over_http", "unused"),
        case("the address book in use keeps the Outlook group as EWS does")
            .used(OfflineAddressBook, 1, 1)
            .warning("in_use offline_address_book 1 1").want("clear", NOT_OUTLOOK),
        case("a scope of MAPI alone has the whole Outlook group in it, and RPC in use warns")
            .in_scope(MapiOverHttp).used(OutlookAnywhereRpc, 2, 9)
            .warning("in_use outlook_anywhere_rpc 2 9").want("clear", "").want("pop3", "no row"),
        case("a group of the campaign's own is kept as Outlook's is, and Outlook's stays one")
            .together(&[Pop3, Imap4]).used(Imap4, 1, 1).used(MapiOverHttp, 1, 1)
            .warning("in_use imap4 1 1; in_use mapi_over_http 1 1").want("pop3", "unused")
            .want("clear", "smtp_auth;exchange_activesync;remote_powershell"),
        case("a scope that names one protocol of such a group has the other in it")
            .together(&[Pop3, Imap4]).in_scope(Pop3).used(Imap4, 2, 3)
            .warning("in_use imap4 2 3").want("clear", ""),
        case("every protocol in use leaves nothing clear")
            .used(Pop3, 1, 1).used(Imap4, 1, 1).used(SmtpAuth, 1, 1).used(ExchangeActivesync, 1, 1)
            .used(MapiOverHttp, 1, 1).used(RemotePowershell, 1, 1)
            .warning("in_use pop3 1 1; in_use imap4 1 1; in_use smtp_auth 1 1; \
                in_use exchange_activesync 1 1; in_use mapi_over_http 1 1; in_use remote_powershell 1 1")
            .want("clear", ""),
        case("protocols outside the scope of the notice are shown and do not decide")
            .used(Autodiscover, 9, 90).used(OutlookService, 1, 2).used(ReportingWebServices, 1, 1)
            .no_impact("unused").want("autodiscover", "in_use").want("in_use", "").want("clear", NINE),
        case("usage beside an unproven protocol is a warning and only the proven groups are clear")
            .used(Pop3, 1, 1).unknown(Imap4, 2)
            .warning("in_use pop3 1 1").want("imap4", "unproven")
            .want("clear", &NOT_POP3.replace("imap4;", "")),

        // Only tried.
        case("a password spray of failures on IMAP is attempted, not usage")
            .failed(Imap4, 40_000)
            .no_impact("attempted imap4 40000").want("imap4", "attempted").want("clear", NINE),
        case("sign-ins that a policy blocks are attempted")
            .blocked(ExchangeActivesync, 12)
            .no_impact("attempted exchange_activesync 12"),
        case("interrupted, blocked and failed sign-ins are added up")
            .interrupted(Pop3, 1).blocked(Pop3, 2).failed(Pop3, 3).failed(SmtpAuth, 4)
            .no_impact("attempted pop3 6; attempted smtp_auth 4"),
        case("one success among a spray is usage")
            .failed(Imap4, 40_000).used(Imap4, 1, 1)
            .warning("in_use imap4 1 1").want("imap4", "in_use"),
        case("a spray on a protocol outside the scope leaves the tenant unused")
            .failed(Autodiscover, 5)
            .no_impact("unused").want("autodiscover", "attempted"),
        case("failures of unnamed clients at Exchange Online are no reason")
            .failed(OtherLegacy, 70)
            .no_impact("unused").want("other_legacy", "attempted").want("clear", NINE),

        // Outcomes that nobody stated.
        case("a sign-in without a status is never success and proves nothing unused")
            .unknown(Pop3, 1)
            .insufficient("unknown_outcome pop3 1").want("pop3", "unproven").want("clear", NOT_POP3)
            .want("evidence_reasons", ""),
        case("a status missing beside failures still leaves the protocol unproven")
            .failed(Pop3, 8).unknown(Pop3, 1)
            .insufficient("unknown_outcome pop3 1").want("pop3", "unproven"),
        case("an unproven MAPI sign-in keeps the whole Outlook group")
            .unknown(MapiOverHttp, 3)
            .insufficient("unknown_outcome mapi_over_http 3").want("clear", NOT_OUTLOOK),
        case("a missing status on a protocol outside the scope does not decide")
            .unknown(OutlookService, 3)
            .no_impact("unused").want("outlook_service", "unproven"),

        // Before the window.
        case("a quarterly job that ran in the lookback days makes its protocol unproven")
            .used_before(SmtpAuth, 1, 30)
            .insufficient("used_before_window smtp_auth 1 30").want("smtp_auth", "unproven")
            .want("clear", &NINE.replace("smtp_auth;", "")),
        case("a job that ran before the window and in it is in use")
            .used_before(SmtpAuth, 1, 30).used(SmtpAuth, 1, 10)
            .warning("in_use smtp_auth 1 10"),
        case("a quarterly job that only fails by now is still unproven")
            .used_before(Imap4, 1, 3).failed(Imap4, 3)
            .insufficient("used_before_window imap4 1 3"),
        case("unknown outcome and earlier usage of one protocol are two reasons")
            .used_before(Imap4, 1, 3).unknown(Imap4, 2)
            .insufficient("unknown_outcome imap4 2; used_before_window imap4 1 3"),
        case("earlier usage of a protocol outside the scope does not decide")
            .used_before(Autodiscover, 4, 8)
            .no_impact("unused").want("autodiscover", "unproven"),
        case("usage after the window makes its protocol unproven: the newest days of a log are no part of it")
            .used_after(Imap4, 1, 2)
            .insufficient("used_after_window imap4 1 2 2026-11-26").want("imap4", "unproven")
            .want("clear", &NINE.replace("imap4;", "")),
        case("usage of one of the Outlook group after the window keeps the group")
            .used_after(MapiOverHttp, 1, 1)
            .insufficient("used_after_window mapi_over_http 1 1 2026-11-26").want("clear", NOT_OUTLOOK),
        case("usage in the window and after it is usage")
            .used(Imap4, 1, 2).used_after(Imap4, 1, 2)
            .warning("in_use imap4 1 2"),
        case("usage of a protocol outside the scope after the window does not decide")
            .used_after(Autodiscover, 1, 1)
            .no_impact("unused").want("autodiscover", "unproven"),
        case("legacy clients at Exchange Online after the window are nobody's in particular")
            .used_after(OtherLegacy, 1, 1)
            .insufficient("used_after_window other_legacy 1 1 2026-11-26").want("clear", ""),
        case("usage older than the lookback days is not in the evidence and does not decide")
            .used_before(SmtpAuth, 0, 0)
            .no_impact("unused").want("smtp_auth", "unused"),

        // Unnamed legacy clients.
        case("an unnamed legacy client at Exchange Online warns, and clears nothing")
            .used(OtherLegacy, 2, 11)
            .warning("unattributed_legacy_use 2 11").want("in_use", "other_legacy").want("clear", "")
            .want("users", "2"),
        case("a named and an unnamed protocol in use are both reasons")
            .used(Pop3, 1, 5).used(OtherLegacy, 1, 1)
            .warning("in_use pop3 1 5; unattributed_legacy_use 1 1").want("in_use", "pop3;other_legacy")
            .want("clear", ""),
        case("a password-grant script against another service is shown and does not warn")
            .elsewhere(500, 0, 0)
            .no_impact("unused").want("other_legacy", "in_use").want("in_use", "").want("users", "0")
            .want("clear", NINE),
        case("a script at another service without a status, and earlier, does not decide either")
            .elsewhere(0, 3, 9)
            .no_impact("unused").want("other_legacy", "unproven").want("clear", NINE),
        case("an unnamed client at Exchange Online without a status leaves all unproven")
            .unknown(OtherLegacy, 1)
            .insufficient("unknown_outcome other_legacy 1").want("clear", ""),
        case("an unnamed client at Exchange Online before the window leaves all unproven")
            .used_before(OtherLegacy, 1, 2)
            .insufficient("used_before_window other_legacy 1 2").want("clear", ""),
        case("usage of POP3 beside an earlier unnamed client warns and clears nothing")
            .used(Pop3, 1, 1).used_before(OtherLegacy, 1, 2)
            .warning("in_use pop3 1 1").want("clear", ""),

        // Clients that nobody can tell.
        case("a client app that the table does not know leaves the tenant unproven")
            .unrecognised(4)
            .insufficient("unrecognised_client 4").want("clear", ""),
        case("a client app that is not stated leaves the tenant unproven")
            .not_stated(6)
            .insufficient("client_not_stated 6").want("clear", ""),
        case("both doubts are told, the unrecognised client first")
            .not_stated(6).unrecognised(4)
            .insufficient("unrecognised_client 4; client_not_stated 6"),
        case("unrecognised clients that only failed are shown and do not decide")
            .failed(Unrecognised, 4)
            .no_impact("unused").want("unrecognised", "attempted").want("clear", NINE),
        case("unstated clients at another service are shown as in use and do not decide")
            .used(NotStated, 0, 4)
            .no_impact("unused").want("not_stated", "in_use").want("in_use", ""),
        case("usage beside an unrecognised client is a warning with nothing clear")
            .used(Pop3, 1, 1).unrecognised(1)
            .warning("in_use pop3 1 1").want("clear", "").want("in_use", "pop3"),
        case("an unproven protocol comes before the doubts about clients")
            .not_stated(1).used_before(Pop3, 1, 1)
            .insufficient("used_before_window pop3 1 1; client_not_stated 1"),

        // Doubts that may be any protocol.
        case("a rewrite agent at another resource leaves the tenant unproven")
            .legacy_agent_elsewhere(2)
            .insufficient("legacy_agent_elsewhere 2").want("clear", "").want("imap4", "unproven"),
        case("sign-ins of two other tenants may mean that the log is another's")
            .mismatched(3)
            .insufficient("tenant_mismatch 3").want("clear", ""),
        case("one rejected record that may be usage is enough to doubt")
            .rejected(1)
            .insufficient("rejected_records 1").want("clear", "").want("pop3", "unproven"),
        case("a refused file that may hold sign-ins is a doubt of all protocols")
            .refused(1)
            .insufficient("refused_files 1").want("clear", ""),
        case("usage beside rejected records is a warning, and nothing is clear")
            .rejected(5).used(Pop3, 1, 1)
            .warning("in_use pop3 1 1").want("clear", ""),
        case("doubts are told one after the other")
            .refused(1).rejected(2).mismatched(3).not_stated(4)
            .insufficient("client_not_stated 4; tenant_mismatch 3; rejected_records 2; refused_files 1"),

        // Usage before the window that has ended.
        case("a daily user who has been silent for the whole window is released")
            .last_used(Imap4, "2026-09-28", Some(14))
            .no_impact("unused").want("imap4", "unused"),
        case("a weekly user who was last seen before the window is released after twice its week")
            .last_used(SmtpAuth, "2026-09-29", Some(14))
            .no_impact("unused"),
        case("a monthly job is not: its pause is as long as the window")
            .last_used(SmtpAuth, "2026-09-29", Some(60))
            .insufficient("used_before_window smtp_auth 1 9").want("smtp_auth", "unproven"),
        case("a user who was not seen often enough is never released")
            .last_used(SmtpAuth, "2026-09-02", None)
            .insufficient("used_before_window smtp_auth 1 9"),
        case("of two users one that is not released is enough")
            .last_used(Imap4, "2026-09-28", Some(14)).last_used(Imap4, "2026-09-29", None)
            .insufficient("used_before_window imap4 1 9"),
        case("days that nobody saw are no silence")
            .last_used(Imap4, "2026-09-30", Some(30)).lost(lightsout_model::sign_in::Category::NonInteractive, "2026-10-14")
            .insufficient("used_before_window imap4 1 9"),
        case("an unnamed client at Exchange Online is released like any other")
            .last_used(OtherLegacy, "2026-09-28", Some(14))
            .no_impact("unused"),

        // Guests: what the evidence counts is the tenant's own resources.
        case("own users who are guests elsewhere are no usage here: their counts are zero")
            .used(Imap4, 0, 0)
            .no_impact("unused").want("imap4", "unused"),
        case("a guest of another home tenant who reads mail here is usage here")
            .used(Imap4, 1, 2)
            .warning("in_use imap4 1 2"),

        // The SMTP AUTH campaign.
        case("the SMTP AUTH campaign does not mind POP3 in use")
            .scope_of("smtp-auth-2026").used(Pop3, 3, 3)
            .no_impact("unused").want("pop3", "in_use").want("in_use", "").want("clear", "smtp_auth")
            .want("imap4", "no row"),
        case("the SMTP AUTH campaign warns of SMTP AUTH in use")
            .scope_of("smtp-auth-2026").used(SmtpAuth, 1, 3).used(Pop3, 3, 3)
            .warning("in_use smtp_auth 1 3").want("in_use", "smtp_auth").want("clear", ""),
        case("the SMTP AUTH campaign warns of an unnamed client too: it may be SMTP")
            .scope_of("smtp-auth-2026").used(OtherLegacy, 1, 3)
            .warning("unattributed_legacy_use 1 3").want("in_use", "other_legacy"),
        case("the SMTP AUTH campaign does not mind EWS in the lookback days")
            .scope_of("smtp-auth-2026").used_before(ExchangeWebServices, 1, 3)
            .no_impact("unused").want("exchange_web_services", "unproven"),

        // The roster's word.
        case("an excluded tenant is excluded with the roster's reason, whatever it uses")
            .excluded("own campaign").used(Pop3, 1, 1)
            .left_out("excluded own campaign").want("pop3", "in_use").want("in_use", "pop3"),
        case("an excluded tenant that nothing is known of is excluded, its evidence told apart")
            .nothing_in_the_lake().excluded("left us")
            .left_out("excluded left us").want("evidence_reasons", "no_records"),

        // Windows of other shapes.
        case_at("a window of one day is decided like any other", "2026-10-31", 1)
            .used(Pop3, 1, 1)
            .warning("in_use pop3 1 1").want("days", "2026-10-30..2026-10-30"),
        case_at("a window over the leap day holds the 29th of February", "2024-03-01", 30)
            .no_impact("unused").want("days", "2024-01-31..2024-02-29"),
        case_at("a window that ends with February of a common year", "2026-03-01", 28)
            .no_impact("unused").want("days", "2026-02-01..2026-02-28"),
        case_at("a window of 90 days over the turn of the year", "2027-01-15", 90)
            .no_impact("unused").want("days", "2026-10-17..2027-01-14"),
    ]
}
