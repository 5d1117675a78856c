//! What notices say beside their templates, each text in every language: names of things that are counted, why a
//! protocol stays on, what a log can't show. `{name}` stands for a value.

use lightsout_model::language::LocalText;

/// Something that is counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noun {
    pub(super) one: LocalText,
    pub(super) many: LocalText,
}

/// A constant for each text, and the list of all for the tests.
macro_rules! phrases {
    ($($name:ident: $en:literal, $de:literal;)+) => {
        $(pub(super) const $name: LocalText = LocalText::new($en, $de);)+
        #[cfg(test)]
        pub(super) const ALL: &[(&str, LocalText)] = &[$((stringify!($name), $name)),+];
    };
}

phrases! {
    AND: "and", "und";
    LOSSES: "or", "und";
    RANGE: "{first} to {last}", "{first} bis {last}";
    NOT_KNOWN: "not known", "nicht bekannt";
    NO_USER: "no user named", "kein Benutzer genannt";
    NOT_NAMED: "not named", "nicht genannt";
    MORE_USERS: "{n} more", "{n} weitere";

    DRAFT: "DRAFT", "ENTWURF";
    DRAFT_BANNER:
        "This notice has not been announced. Its dates count from {day}.",
        "Diese Nachricht ist ein Entwurf: Nichts ist angekündigt. Ihre Termine zählen ab dem {day}.";
    REHEARSAL: "REHEARSAL", "PROBELAUF";
    REHEARSAL_BANNER:
        "This notice is part of a rehearsal: nothing has been announced, and nothing will be changed.",
        "Diese Nachricht gehört zu einem Probelauf: Nichts ist angekündigt, und nichts wird geändert.";
    WHY_QUOTED: "“{why}”", "„{why}“";
    WHY_HOLD_ENDED:
        "the hold ended after the day that was announced",
        "die Aussetzung endete erst nach dem angekündigten Tag";
    WHY_OPTED_IN:
        "the opt-out was taken back after the day that was announced",
        "der Widerspruch wurde erst nach dem angekündigten Tag zurückgenommen";
    NO_OPERATOR:
        "The operator of the campaign is not set, so it cannot be announced.",
        "Wer die Kampagne betreibt, ist nicht angegeben; sie kann daher nicht angekündigt werden.";

    DAY: "day", "Tag";
    DAYS_DATIVE: "days", "Tagen";
    USER: "user", "Benutzer";
    USERS_MANY: "users", "Benutzer";
    SIGN_IN: "sign-in", "Anmeldung";
    SIGN_INS_MANY: "sign-ins", "Anmeldungen";
    RECORD: "record", "Datensatz";
    RECORDS_MANY: "records", "Datensätze";
    FILE: "file", "Datei";
    FILES_MANY: "files", "Dateien";

    PASSWORD_GRANT:
        "sign-in with a password that an application sends to Entra (ROPC)",
        "Anmeldung mit einem Kennwort, das eine Anwendung an Entra sendet (ROPC)";
    OTHER_LEGACY:
        "other legacy clients (protocol not named)",
        "andere ältere Clients (Protokoll nicht genannt)";
    NOT_STATED: "client app not stated", "Client-App nicht angegeben";
    UNRECOGNISED: "client app not recognised", "Client-App nicht erkannt";

    METHOD: "{method}", "die Anmeldung mit {method}";
    METHOD_FOR_ONE: "{method} for {protocol}", "die Anmeldung mit {method} für {protocol}";
    METHOD_FOR_SEVERAL:
        "{method} for the {n} protocols named below",
        "die Anmeldung mit {method} für die {n} unten genannten Protokolle";
    LOSES_MAILBOX:
        "reach their Exchange Online mailbox",
        "nicht mehr auf ihr Exchange Online-Postfach zugreifen";
    LOSES_SENDING: "send mail through Exchange Online", "keine E-Mails mehr über Exchange Online senden";
    LOSES_SCRIPTS: "manage Exchange Online by script", "Exchange Online nicht mehr per Skript verwalten";

    INTERACTIVE: "interactive sign-ins", "interaktiven Anmeldungen";
    NON_INTERACTIVE: "non-interactive sign-ins", "nicht interaktiven Anmeldungen";
    SERVICE_PRINCIPAL: "sign-ins of service principals", "Anmeldungen von Dienstprinzipalen";
    MANAGED_IDENTITY: "sign-ins of managed identities", "Anmeldungen von verwalteten Identitäten";
    MICROSOFT_SERVICE_PRINCIPAL:
        "sign-ins of Microsoft service principals",
        "Anmeldungen von Dienstprinzipalen von Microsoft";
    ADFS: "AD FS sign-ins", "AD FS-Anmeldungen";
    DAYS_OF: "{seen} of {days} of {category}", "{seen} von {days} der {category}";

    INTERRUPTED: "interrupted", "unterbrochen";
    BLOCKED: "blocked", "blockiert";
    FAILED: "failed", "fehlgeschlagen";

    NOT_RELEASED:
        "the reason for the hold has gone, but the hold has not been ended",
        "nichts spricht mehr dagegen, aber die Aussetzung ist noch nicht aufgehoben";
    OPTED_OUT: "opted out on {on}", "Widerspruch am {on}";
    OPTED_OUT_BY: "opted out by {by} on {on}", "Widerspruch von {by} am {on}";
    ON_HOLD:
        "on hold since {on}; another notice comes before it changes",
        "ausgesetzt seit dem {on}; vor einer Änderung erhalten Sie eine weitere Nachricht";
    NOT_OFF_YET:
        "not turned off yet; announced for {on}",
        "noch nicht abgeschaltet; angekündigt für den {on}";
    IN_USE_BY: "in use by {users} ({sign_ins})", "wird verwendet ({users}, {sign_ins})";
    NOT_ANNOUNCED: "it was not part of the announcement", "war nicht angekündigt";

    OUTLOOK_IN_USE:
        "Outlook uses it together with {other}, which is in use",
        "Outlook verwendet es zusammen mit {other}, und das wird noch verwendet";
    GROUP_IN_USE:
        "it is only turned off together with {other}, which is in use",
        "es wird nur zusammen mit {other} abgeschaltet, und das wird noch verwendet";
    OUTLOOK_NOT_CLEARED:
        "Outlook uses it together with {other}, which may be in use",
        "Outlook verwendet es zusammen mit {other}, und das wird vielleicht noch verwendet";
    GROUP_NOT_CLEARED:
        "it is only turned off together with {other}, which may be in use",
        "es wird nur zusammen mit {other} abgeschaltet, und das wird vielleicht noch verwendet";
    LOGS_INCOMPLETE:
        "the logs for this time are not complete",
        "die Anmeldeprotokolle sind für diesen Zeitraum nicht vollständig";
    WITHOUT_STATUS_ONE:
        "{sign_ins} has no status and may have succeeded",
        "{sign_ins} hat keinen Status und könnte erfolgreich gewesen sein";
    WITHOUT_STATUS_MANY:
        "{sign_ins} have no status and may have succeeded",
        "{sign_ins} haben keinen Status und könnten erfolgreich gewesen sein";
    NOT_ATTRIBUTED:
        "some sign-ins cannot be attributed to a protocol and may belong to this one",
        "einige Anmeldungen lassen sich keinem Protokoll zuordnen und könnten zu diesem gehören";
    USED_BEFORE:
        "it was used shortly before the time searched",
        "es wurde kurz vor dem durchsuchten Zeitraum verwendet";
    USED_AFTER:
        "it was used after the time searched",
        "es wurde nach dem durchsuchten Zeitraum verwendet";
    REPORT_NAMES_SENDERS:
        "the report \"SMTP AUTH clients\" names senders that may use it",
        "der Bericht „SMTP AUTH clients“ nennt Absender, die es verwenden könnten";
    UNRECOGNISED_CLIENT_ONE:
        "{sign_ins} comes from an unrecognised client app and may belong to it",
        "{sign_ins} stammt von einer nicht erkannten Client-App und könnte dazugehören";
    UNRECOGNISED_CLIENT_MANY:
        "{sign_ins} come from unrecognised client apps and may belong to it",
        "{sign_ins} stammen von nicht erkannten Client-Apps und könnten dazugehören";
    CLIENT_NOT_STATED_ONE:
        "{sign_ins} does not state its client app and may belong to it",
        "{sign_ins} nennt keine Client-App und könnte dazugehören";
    CLIENT_NOT_STATED_MANY:
        "{sign_ins} do not state their client app and may belong to it",
        "{sign_ins} nennen keine Client-App und könnten dazugehören";
    LEGACY_AGENT_ONE:
        "{sign_ins} has the user agent that Exchange puts in for Basic Authentication and may belong to it",
        "{sign_ins} hat den Benutzer-Agent, den Exchange bei Standardauthentifizierung einsetzt, und könnte dazugehören";
    LEGACY_AGENT_MANY:
        "{sign_ins} have the user agent that Exchange puts in for Basic Authentication and may belong to it",
        "{sign_ins} haben den Benutzer-Agent, den Exchange bei Standardauthentifizierung einsetzt, und könnten dazugehören";
    OTHER_TENANT_ONE:
        "{sign_ins} names only other tenants and may belong to it all the same",
        "{sign_ins} nennt nur andere Mandanten und könnte dennoch dazugehören";
    OTHER_TENANT_MANY:
        "{sign_ins} name only other tenants and may belong to it all the same",
        "{sign_ins} nennen nur andere Mandanten und könnten dennoch dazugehören";
    UNREADABLE_RECORDS_ONE:
        "{records} could not be read and may belong to it",
        "{records} war nicht lesbar und könnte dazugehören";
    UNREADABLE_RECORDS_MANY:
        "{records} could not be read and may belong to it",
        "{records} waren nicht lesbar und könnten dazugehören";
    UNREADABLE_FILES_ONE:
        "{files} could not be read and may hold sign-ins of it",
        "{files} war nicht lesbar und könnte solche Anmeldungen enthalten";
    UNREADABLE_FILES_MANY:
        "{files} could not be read and may hold sign-ins of it",
        "{files} waren nicht lesbar und könnten solche Anmeldungen enthalten";

    FILTER_NO_CLIENT_APP: "no client app", "keine Client-App";
    FILTER_CLIENT_APP: "only the client app {app}", "nur die Client-App {app}";
    FILTER_NO_SUCCESS: "no successful sign-in", "keine erfolgreiche Anmeldung";
    FILTER_USER: "only one user", "nur einen Benutzer";
    FILTER_APPLICATION: "only one application", "nur eine Anwendung";
    FILTER_STATED: "only what the filter {filter} lets through", "nur, was der Filter {filter} durchlässt";

    DISMISSED_REJECTED: "records that could not be read", "nicht lesbare Datensätze";
    DISMISSED_REFUSED: "files that could not be read", "nicht lesbare Dateien";
    DISMISSED_MISMATCH:
        "sign-ins that name other tenants only",
        "Anmeldungen, die nur andere Mandanten nennen";
    DISMISSED_AGENT:
        "sign-ins to another service with a user agent of Basic Authentication",
        "Anmeldungen bei einem anderen Dienst mit einem Benutzer-Agent der Standardauthentifizierung";
    DISMISSED_CLIENT:
        "sign-ins by client apps that are not recognised",
        "Anmeldungen mit nicht erkannten Client-Apps";
    DISMISSED_NOT_STATED: "sign-ins that state no client app", "Anmeldungen ohne Angabe der Client-App";
    DISMISSED_OUTCOME: "sign-ins without a status", "Anmeldungen ohne Status";
    DISMISSED_BEFORE: "usage before the time searched", "Verwendung vor dem durchsuchten Zeitraum";
    DISMISSED_OTHER: "a doubt", "ein Zweifel";

    LIMIT_RARE_JOBS:
        "A job that runs once a quarter or once a year may not have run in the days that were searched.",
        "Ein Vorgang, der nur einmal im Quartal oder im Jahr läuft, lief an den durchsuchten Tagen vielleicht nicht.";
    LIMIT_SHORT_HISTORY:
        "Entra ID keeps sign-ins for 7 days in a tenant without a P1 or P2 licence, for 30 days with one: what happened before the first day of the logs is not known.",
        "Entra ID bewahrt Anmeldungen 7 Tage auf, mit einer P1- oder P2-Lizenz 30 Tage: Was vor dem ersten Tag der Anmeldeprotokolle geschah, ist nicht bekannt.";
    LIMIT_COVERAGE:
        "A day counts as covered when it has sign-ins: half a day that was not collected, or one weekday that never is, does not stand out.",
        "Ein Tag gilt als abgedeckt, wenn das Protokoll Anmeldungen dieses Tages enthält: Ein halber Tag, der nicht erfasst wurde, oder ein Wochentag, der nie erfasst wird, fällt nicht auf.";
    LIMIT_HYBRID:
        "Sign-ins to an on-premises Exchange server, as in a hybrid deployment, are not in the logs of Entra ID.",
        "Anmeldungen an einem lokalen Exchange-Server, zum Beispiel in einer Hybridbereitstellung, stehen nicht in den Anmeldeprotokollen von Entra ID.";
    LIMIT_FEDERATED:
        "Sign-ins that another identity provider handled, as for a federated domain, may be missing.",
        "Anmeldungen, die ein anderer Identitätsanbieter verarbeitet hat, zum Beispiel bei einer Verbunddomäne, können fehlen.";
    LIMIT_RELAY:
        "Mail that is relayed by a connector or sent by Direct Send needs no sign-in: no sign-in log shows it, and turning off SMTP AUTH does not stop it.",
        "E-Mails, die über einen Connector weitergeleitet oder mit Direct Send gesendet werden, brauchen keine Anmeldung: Sie stehen in keinem Anmeldeprotokoll, und die Abschaltung von SMTP AUTH betrifft sie nicht.";
    LIMIT_YEAR_END:
        "Offices that are closed in late December hardly sign in then: a device that is idle over the holidays shows no use, just when SMTP AUTH is turned off.",
        "Über die Feiertage Ende Dezember gibt es kaum Anmeldungen: Ein Gerät, das dann ruht, hinterlässt keine Spur in den Anmeldeprotokollen, gerade wenn SMTP AUTH abgeschaltet wird.";
}

pub(super) const USERS: Noun = Noun { one: USER, many: USERS_MANY };
pub(super) const SIGN_INS: Noun = Noun { one: SIGN_IN, many: SIGN_INS_MANY };
pub(super) const RECORDS: Noun = Noun { one: RECORD, many: RECORDS_MANY };
pub(super) const FILES: Noun = Noun { one: FILE, many: FILES_MANY };
/// After "of": "26 of 30 days", "26 von 30 Tagen".
pub(super) const DAYS_AFTER_OF: Noun = Noun { one: DAY, many: DAYS_DATIVE };

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or_default()).collect()
    }

    #[test]
    fn every_phrase_has_the_same_values_in_both_languages() {
        for (name, text) in ALL {
            assert_eq!(placeholders(text.en), placeholders(text.de), "{name}");
            assert!(!text.en.is_empty() && !text.de.is_empty(), "{name}");
        }
    }

    #[test]
    fn german_is_no_copy_of_english() {
        for (name, text) in ALL {
            assert_ne!(text.en, text.de, "{name} is not translated");
            assert_eq!(text.en.ends_with('.'), text.de.ends_with('.'), "{name}");
        }
    }
}
