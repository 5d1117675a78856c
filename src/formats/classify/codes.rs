//! Result codes: which outcome each stands for. Microsoft: "subject to change at any time"; a code that
//! is not here is a failure, kept as logged, and reported.

use lightsout_model::sign_in::Outcome;

/// The outcome of a code; no code is `Unknown`, never success.
#[must_use]
pub fn outcome(error_code: Option<i64>) -> Outcome {
    match error_code {
        None => Outcome::Unknown,
        Some(0) => Outcome::Success,
        Some(code) => find(code).unwrap_or(Outcome::Failure),
    }
}

/// Whether the table has the code.
#[must_use]
pub fn is_known_code(code: i64) -> bool {
    code == 0 || find(code).is_some()
}

fn find(code: i64) -> Option<Outcome> {
    CODES.iter().find(|(known, _)| *known == code).map(|(_, outcome)| *outcome)
}

const CODES: [(i64, Outcome); 89] = {
    use Outcome::{Blocked, Failure, Interrupted};
    [
        // The first factor was right; the user was asked for more.
        (50140, Interrupted), // keep me signed in
        (50074, Interrupted), // strong authentication required
        (50076, Interrupted), // multifactor required by policy
        (50079, Interrupted), // multifactor enrolment required
        (50072, Interrupted), // UserStrongAuthEnrollmentRequiredInterrupt
        (50158, Interrupted), // external challenge
        (50199, Interrupted), // confirmation required
        // State of a session or prompt: says nothing of the password.
        (50058, Interrupted),     // UserInformationNotProvided
        (50132, Interrupted),     // SsoArtifactInvalidOrExpired
        (50133, Interrupted),     // SsoArtifactRevoked
        (50089, Interrupted),     // FlowTokenExpired
        (70044, Interrupted),     // session expired by policy
        (16000, Interrupted),     // account selection
        (50097, Interrupted),     // device authentication required
        (65001, Interrupted),     // DelegationDoesNotExist
        (50011, Interrupted),     // InvalidReplyTo
        (1_000_000, Interrupted), // UserNotBoundError
        (900_941, Interrupted),   // AdminConsentRequiredDueToRiskyApp
        // The password was right, the sign-in was refused.
        (53000, Blocked),   // device not compliant
        (53001, Blocked),   // device not domain joined
        (53002, Blocked),   // application not approved
        (53003, Blocked),   // Conditional Access
        (53004, Blocked),   // enrolment blocked for risk
        (53011, Blocked),   // user blocked for risk
        (500_121, Blocked), // multifactor not completed
        (50055, Blocked),   // password expired
        (50057, Blocked),   // account disabled
        (50105, Blocked),   // not assigned to the application
        (53008, Blocked),   // browser not supported by policy
        (53009, Blocked),   // app protection policy
        (53010, Blocked),   // registration of security information refused by policy
        (50005, Blocked),   // platform not supported by policy
        (50131, Blocked),   // ConditionalAccessFailed
        (530_001, Blocked), // browser not supported by policy
        (530_002, Blocked), // device not compliant
        (530_003, Blocked), // device not managed
        (530_004, Blocked), // compliant device not accepted
        (530_021, Blocked), // application not approved
        (530_031, Blocked), // policy does not allow the token
        (530_032, Blocked), // security policy of the tenant
        (530_034, Blocked), // delegated administrator, suspicious activity
        (530_084, Blocked), // token protection
        (530_035, Blocked), // blocked by security defaults
        // Wrong password, wrong user, spray.
        (50126, Failure), // InvalidUserNameOrPassword
        (50053, Failure), // IdsLocked, or an address known for attacks
        (50034, Failure), // UserAccountNotFound
        (50056, Failure), // no password in the directory
        (50064, Failure), // credential validation failed
        (50128, Failure), // invalid domain name
        (50059, Failure), // no tenant named
        (50020, Failure), // user of another directory
        (51004, Failure), // UserAccountNotInDirectory
        (50144, Failure), // password expired on premises
        (50107, Failure), // federation realm unknown
        (50008, Failure), // SAML assertion refused
        (80002, Failure), // pass-through agent: directory not reached
        (80005, Failure), // pass-through agent: wrong answer
        (80007, Failure), // pass-through agent: password not checked
        (80010, Failure), // pass-through agent: not decrypted
        (80012, Failure), // pass-through agent: outside permitted hours
        (80014, Failure), // pass-through agent: took too long
        (81004, Failure), // seamless sign-on: Kerberos failed
        (81010, Failure), // seamless sign-on: ticket expired
        // Tokens and grants.
        (50173, Failure),   // FreshTokenNeeded
        (50078, Failure),   // multifactor session expired
        (70000, Failure),   // InvalidGrant
        (70008, Failure),   // ExpiredOrRevokedGrant
        (70043, Failure),   // grant expired by policy
        (500_133, Failure), // assertion outside its time
        (700_082, Failure), // refresh token unused too long
        (700_084, Failure), // refresh token of a single-page application expired
        (50196, Failure),   // LoopDetected
        (50155, Failure),   // DeviceAuthenticationFailed
        (90072, Failure),   // account of another tenant
        (90014, Failure),   // MissingRequiredField
        (90094, Failure),   // AdminConsentRequired
        (65004, Failure),   // UserDeclinedConsent
        (65005, Failure),   // MisconfiguredApplication
        (50001, Failure),   // resource unknown
        (90002, Failure),   // tenant unknown
        (500_011, Failure), // resource principal unknown in the tenant
        // Applications.
        (700_003, Failure),   // device object missing
        (700_016, Failure),   // application unknown; comes after the password was checked
        (7_000_112, Failure), // application disabled
        (7_000_215, Failure), // wrong client secret
        (7_000_218, Failure), // client secret missing
        (7_000_222, Failure), // client secret expired
        (700_027, Failure),   // client assertion's signature wrong
        (50012, Failure),     // AuthenticationFailed
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_follow_the_table_and_a_missing_status_is_unknown() {
        for (code, expected) in [
            (Some(0), Outcome::Success),
            (Some(50076), Outcome::Interrupted),
            (Some(53003), Outcome::Blocked),
            (Some(530_003), Outcome::Blocked),
            (Some(50126), Outcome::Failure),
            (Some(424_242), Outcome::Failure),
            (None, Outcome::Unknown),
        ] {
            assert_eq!(outcome(code), expected, "{code:?}");
        }
        assert!(is_known_code(50126) && !is_known_code(424_242));
    }

    #[test]
    fn no_code_is_listed_twice() {
        let mut codes: Vec<i64> = CODES.iter().map(|(code, _)| *code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), CODES.len());
    }
}
