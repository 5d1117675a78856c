// Writes the logs and the roster of ten thousand invented tenants: node many.cjs FOLDER
// Of each a record in either log, the days between declared by the roster; a third use a legacy protocol, some have a
// gap, and one has the worst of names.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const [folder] = process.argv.slice(2);
const TENANTS = 10_000;
const CLIENTS = ["IMAP4", "POP3", "Authenticated SMTP", "Exchange ActiveSync"];
const HOSTILE = "\"><img src=x onerror=alert(1)></title><script>alert(2)</script>";

const hex = (n, digits) => n.toString(16).padStart(digits, "0");
const id = (n) => `${hex((n * 2654435761) % 2 ** 32, 8)}-0000-4000-8000-${hex(n, 12)}`;

function record(tenant, n, category, user, client, day) {
  const at = `2026-10-${String(day).padStart(2, "0")}T0${n % 10}:30:00Z`;
  return JSON.stringify({
    time: at,
    resourceId: `/tenants/${tenant}/providers/Microsoft.aadiam`,
    operationName: "Sign-in activity",
    category,
    tenantId: tenant,
    resultType: "0",
    properties: {
      id: `${hex(n, 8)}-${hex(user, 4)}-4000-8000-${hex(day, 4)}${hex(category.length, 8)}`,
      createdDateTime: at,
      userId: `${hex(user, 8)}-0000-4000-9000-${hex(n, 12)}`,
      userPrincipalName: n === 42 ? `${HOSTILE}@example.com` : `user.${user}@tenant${n}.example.com`,
      appDisplayName: "Office 365 Exchange Online",
      resourceDisplayName: "Office 365 Exchange Online",
      resourceId: "00000002-0000-0ff1-ce00-000000000000",
      clientAppUsed: client,
      userAgent: n === 42 ? HOSTILE : "BAV2ROPC",
      ipAddress: `203.0.113.${n % 250}`,
      status: { errorCode: 0 },
    },
  });
}

const lines = [];
const roster = ["tenant_id,display_name,domains,logs_from,logs_to"];
for (let n = 0; n < TENANTS; n += 1) {
  const tenant = id(n);
  lines.push(record(tenant, n, "SignInLogs", 0, "Browser", 1 + (n % 30)));
  lines.push(record(tenant, n, "NonInteractiveUserSignInLogs", 0, "Mobile Apps and Desktop clients", 1 + (n % 30)));
  for (let user = 1; n % 3 === 0 && user <= 1 + (n % 4); user += 1) {
    lines.push(record(tenant, n, "NonInteractiveUserSignInLogs", user, CLIENTS[(n / 3 + user) % 4], 1 + ((n + user) % 30)));
  }
  const name = n === 42 ? `"${HOSTILE.replaceAll("\"", "\"\"")}"` : `Tenant ${n} of Many`;
  roster.push(`${tenant},${name},tenant${n}.example.com,${n % 10 === 7 ? "," : "2026-07-01,2026-11-02"}`);
}
fs.mkdirSync(path.join(folder, "logs"), { recursive: true });
fs.writeFileSync(path.join(folder, "logs", "many.ndjson"), lines.join("\n") + "\n");
fs.writeFileSync(path.join(folder, "roster.csv"), roster.join("\n") + "\n");
