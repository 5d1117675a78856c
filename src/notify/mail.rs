//! A notice as a mail that waits to be sent. `X-Unsent: 1` makes Outlook open it as a draft with a Send
//! button; other clients show it, or edit it as new. It is from the campaign's operator, at the address that
//! replies go to; a draft of a campaign without one has no `From`, since an invented sender would be sent by mistake.
//! Date, Message-ID and boundary follow from the notice: the same
//! notice is the same bytes, and a mail server that gets it twice can see that it has it.

use mail_builder::MessageBuilder;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;

use super::NoticeContext;
use super::notice_content::NoticeContent;
use lightsout_model::evidence::midnight;
use lightsout_model::tenant::RosterTenant;
use lightsout_model::verdict::TenantAssessment;
use lightsout_output::text::plain_short;

/// Longest address, and longest part of it before the `@`, that mail servers must take.
const ADDRESS_LENGTH_MAX: usize = 254;
const LOCAL_LENGTH_MAX: usize = 64;
/// Characters of the operator's name as that of the sender.
const NAME_CHARACTERS_MAX: usize = 100;

/// The roster's contacts, as far as a mail can go to them.
#[derive(Debug)]
pub(super) struct Recipients {
    /// Each once, in the roster's order.
    pub(super) addresses: Vec<String>,
    pub(super) left_out: usize,
}

impl Recipients {
    pub(super) fn of(roster: Option<&RosterTenant>) -> Self {
        let mut recipients = Self { addresses: Vec::new(), left_out: 0 };
        for contact in roster.map(|roster| roster.contacts.as_slice()).unwrap_or_default() {
            let contact = contact.trim_matches(' ');
            if !is_address(contact) {
                recipients.left_out += 1;
            } else if !recipients.addresses.iter().any(|known| known.eq_ignore_ascii_case(contact)) {
                recipients.addresses.push(contact.to_owned());
            }
        }
        recipients
    }
}

/// Plain addresses only: what needs quotes, comments, a display name or more than ASCII is none.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    let atoms = |part: &str| !part.is_empty() && part.bytes().all(atom);
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= ADDRESS_LENGTH_MAX
        && local.len() <= LOCAL_LENGTH_MAX
        && local.split('.').all(atoms)
        && domain.contains('.')
        && domain.split('.').all(label)
}

/// Headers, and the text and the page as alternatives. `parts` are title, text and page.
pub(super) fn message(
    notice_content: &NoticeContent,
    context: &NoticeContext,
    tenant: &TenantAssessment,
    recipients: &Recipients,
    parts: [&str; 3],
) -> Vec<u8> {
    let [title, text, html] = parts;
    let id = id(notice_content, context, tenant, parts);
    let (message_id, boundary) = id.split_at(32);
    let alternatives = ContentType::new("multipart/alternative").attribute("boundary", boundary);
    let part = |kind: &'static str, content: String| {
        MimePart::new(ContentType::new(kind).attribute("charset", "utf-8"), content)
    };
    let mut mail = MessageBuilder::new()
        .date(midnight(notice_content.notice_date).timestamp())
        .message_id(format!("{message_id}@lightsout.invalid"))
        .subject(title)
        .header("X-Unsent", Raw::new("1"));
    if let Some(operator) = &context.campaign.operator {
        let name = plain_short(&operator.name, NAME_CHARACTERS_MAX);
        mail = mail.from((name, operator.reply_to.clone())).reply_to(operator.reply_to.as_str());
    }
    if !recipients.addresses.is_empty() {
        let to: Vec<&str> = recipients.addresses.iter().map(String::as_str).collect();
        mail = mail.to(to);
    }
    let parts = vec![part("text/plain", text.to_owned()), part("text/html", html.to_owned())];
    let mut written = Vec::new();
    mail.body(MimePart::new(alternatives, parts)).serialize(&mut written);
    written
}

/// 64 hexadecimal digits of everything that makes it this notice and no other. The text is among it:
/// another text under the id of one that was sent would be dropped as a duplicate, and no text can hold
/// the boundary that follows from it.
fn id(
    notice_content: &NoticeContent,
    context: &NoticeContext,
    tenant: &TenantAssessment,
    parts: [&str; 3],
) -> String {
    let mut hasher = blake3::Hasher::new();
    let date = notice_content.notice_date.to_string();
    let assessment = context.assessment;
    let fields = [
        &tenant.tenant_id,
        notice_content.kind.as_str(),
        &context.campaign.name,
        &assessment.decision_id,
        &date,
    ];
    for field in fields.into_iter().chain(parts) {
        hasher.update(&(field.len() as u64).to_le_bytes()).update(field.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests;
