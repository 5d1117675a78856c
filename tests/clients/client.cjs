// node-postgres: prints one JSON object for each case.
const assert = require("node:assert");
const { Client, Pool } = require("pg");

const [port, signIns, protocol, ofProtocol] = process.argv.slice(2);
const config = { host: "127.0.0.1", port: Number(port), user: "anybody", database: "lightsout" };

const cases = {
  "values of all types": async (client) => {
    const { rows } = await client.query(
      "SELECT 7::smallint AS small, 5000000000::bigint AS big, 2.25::double precision AS double, true AS yes, 'grüße' AS words, " +
        "TIMESTAMPTZ '2026-11-02 10:20:30.5+00' AS moment, NULL::text AS nothing, ARRAY['a', 'b'] AS list");
    assert.deepStrictEqual(rows[0], {
      small: 7, big: "5000000000", double: 2.25, yes: true, words: "grüße",
      moment: new Date("2026-11-02T10:20:30.500Z"), nothing: null, list: ["a", "b"],
    });
  },
  "bound values": async (client) => {
    const { rows } = await client.query("SELECT count(*) AS n FROM sign_ins WHERE protocol = $1 AND signed_in_at > $2", [protocol, new Date(0)]);
    assert.strictEqual(rows[0].n, ofProtocol);
  },
  "prepared by name": async (client) => {
    for (const number of [1, 2, 3]) {
      const { rows } = await client.query({ name: "mine", text: "SELECT $1::int AS n", values: [number] });
      assert.strictEqual(rows[0].n, number);
    }
  },
  "whole table": async (client) => {
    assert.strictEqual((await client.query("SELECT * FROM sign_ins")).rows.length, Number(signIns));
  },
  "writing is refused with 25006": async (client) => {
    await assert.rejects(client.query("DELETE FROM sources"), { code: "25006" });
  },
  "pool": async () => {
    const pool = new Pool({ ...config, max: 5 });
    const found = await Promise.all(Array.from({ length: 20 }, () => pool.query("SELECT count(*) AS n FROM sign_ins")));
    assert.ok(found.every((each) => each.rows[0].n === signIns));
    await pool.end();
  },
};

(async () => {
  for (const [name, run] of Object.entries(cases)) {
    const client = new Client(config);
    let said = "";
    try {
      await client.connect();
      await run(client);
    } catch (error) {
      said = String(error);
    }
    await client.end();
    console.log(JSON.stringify({ case: name, ok: said === "", said }));
  }
})();
