//! The header row of the "SMTP AUTH clients" report: which column is which, in the spellings and
//! languages that the admin center and hand-made copies of it use. Order does not matter.

/// What a column of the report holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Sender,
    Domain,
    /// A share of the messages by one TLS version.
    Tls,
    Messages,
    /// How the sender authenticated, in words.
    Protocol,
    /// Messages of this sender by Basic Authentication, or with OAuth.
    BasicMessages,
    OauthMessages,
    FirstDay,
    LastDay,
}

/// Names without blanks and punctuation, lower case: English, German, French, Spanish, Italian,
/// Portuguese, Dutch, Polish, Swedish, Danish, Norwegian, Finnish, Japanese, Chinese, Russian.
const NAMES: [(Column, &[&str]); 8] = [
    (
        Column::Sender,
        &[
            "senderaddress",
            "sender",
            "senderemail",
            "senderemailaddress",
            "sendersaddress",
            "absenderadresse",
            "absender",
            "adressedelexpéditeur",
            "expéditeur",
            "direccióndelremitente",
            "remitente",
            "direccióndecorreodelremitente",
            "indirizzodelmittente",
            "indirizzomittente",
            "mittente",
            "endereçodoremetente",
            "endereçoderemetente",
            "adresvanafzender",
            "adresafzender",
            "afzender",
            "adresnadawcy",
            "nadawca",
            "avsändaradress",
            "avsändarensadress",
            "afsenderadresse",
            "afsenderensadresse",
            "avsenderadresse",
            "avsenderensadresse",
            "lähettäjänosoite",
            "送信者のアドレス",
            "送信者アドレス",
            "差出人アドレス",
            "发件人地址",
            "寄件者地址",
            "адресотправителя",
        ],
    ),
    (
        Column::Domain,
        &[
            "domain",
            "domains",
            "senderdomain",
            "sendingdomain",
            "domäne",
            "domaine",
            "dominio",
            "domínio",
            "domein",
            "domena",
            "domän",
            "domæne",
            "domene",
            "toimialue",
            "verkkotunnus",
            "ドメイン",
            "域",
            "網域",
            "домен",
        ],
    ),
    (
        Column::Messages,
        &[
            "messagessent",
            "messagesent",
            "sentmessages",
            "messagecount",
            "messages",
            "totalmessages",
            "gesendetenachrichten",
            "messagesenvoyés",
            "mensajesenviados",
            "messaggiinviati",
            "mensagensenviadas",
            "verzondenberichten",
            "berichtenverzonden",
            "wysłanewiadomości",
            "skickademeddelanden",
            "meddelandensomskickats",
            "sendtemeddelelser",
            "meddelelsersendt",
            "sendtemeldinger",
            "lähetetytviestit",
            "送信されたメッセージ",
            "送信メッセージ",
            "送信済みメッセージ",
            "已发送的邮件",
            "已发送邮件",
            "已傳送的郵件",
            "отправленныесообщения",
            "отправленосообщений",
        ],
    ),
    (
        Column::Protocol,
        &[
            "authenticationprotocol",
            "authprotocol",
            "smtpauthprotocol",
            "authenticationmethod",
            "authmethod",
            "authenticationtype",
            "authtype",
            "authentication",
            "authentifizierungsprotokoll",
            "authentifizierungsmethode",
            "protocoledauthentification",
            "protocolodeautenticación",
            "protocollodiautenticazione",
            "protocolodeautenticação",
            "verificatieprotocol",
            "protokółuwierzytelniania",
            "autentiseringsprotokoll",
            "godkendelsesprotokol",
            "godkjenningsprotokoll",
            "todennusprotokolla",
            "認証プロトコル",
            "身份验证协议",
            "驗證通訊協定",
            "протоколпроверкиподлинности",
        ],
    ),
    (Column::BasicMessages, &["basic", "basicauth", "basicauthentication", "basicauthmessages"]),
    (Column::OauthMessages, &["oauth", "oauth2", "modernauth", "modernauthentication", "oauthmessages"]),
    (Column::FirstDay, &["startdate", "fromdate", "datefrom", "reportstartdate"]),
    (Column::LastDay, &["enddate", "todate", "dateto", "reportenddate"]),
];

/// Names from this length on may have one letter wrong.
const TYPO_CHARACTERS_MIN: usize = 10;

/// The columns by their place, if the header is the report's.
pub(super) fn read<'a>(cells: impl Iterator<Item = &'a str>) -> Option<Vec<Option<Column>>> {
    let columns: Vec<Option<Column>> = cells.map(column).collect();
    let has = |wanted: Column| columns.iter().flatten().any(|column| *column == wanted);
    let says_how = has(Column::Protocol) || has(Column::BasicMessages);
    // A message trace has senders too, and neither TLS shares nor a number of messages.
    let is_report = has(Column::Sender)
        && (has(Column::Tls) || has(Column::Messages) && (has(Column::Domain) || says_how));
    is_report.then_some(columns)
}

fn column(name: &str) -> Option<Column> {
    let bare: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let version = bare.strip_prefix("tls").map(|rest| rest.strip_prefix('v').unwrap_or(rest));
    if version.is_some_and(|version| ["10", "11", "12", "13"].iter().any(|known| version.starts_with(known)))
    {
        return Some(Column::Tls);
    }
    let found = |fits: &dyn Fn(&str) -> bool| {
        NAMES.iter().find(|(_, names)| names.iter().any(|name| fits(name))).map(|(column, _)| *column)
    };
    let nearly =
        |name: &str| name.chars().count() >= TYPO_CHARACTERS_MIN && strsim::levenshtein(name, &bare) <= 1;
    found(&|name| name == bare).or_else(|| found(&nearly))
}
