import java.sql.*;
import java.time.*;
import java.util.*;

/** What Java programs and BI tools do with pgjdbc. Prints one JSON object for each case. */
public class Jdbc {
    interface Case {
        void run(Connection connection) throws Exception;
    }

    static String url;

    static void tried(String name, Case body) {
        String said = "";
        try (Connection connection = connect("")) {
            body.run(connection);
        } catch (Throwable error) {
            said = error.toString().replaceAll("[^ -~]", " ").replace("\\", "/").replace("\"", "'");
        }
        System.out.println("{\"case\": \"" + name + "\", \"ok\": " + said.isEmpty() + ", \"said\": \"" + said + "\"}");
    }

    static Connection connect(String more) throws SQLException {
        return DriverManager.getConnection(url + more, "anybody", "");
    }

    static void equal(Object found, Object expected) {
        if (!Objects.equals(found, expected)) {
            throw new AssertionError("found " + found + ", expected " + expected);
        }
    }

    static int count(ResultSet rows) throws SQLException {
        int count = 0;
        while (rows.next()) {
            count++;
        }
        return count;
    }

    public static void main(String[] arguments) {
        url = "jdbc:postgresql://127.0.0.1:" + arguments[0] + "/lightsout?sslmode=disable";
        int signIns = Integer.parseInt(arguments[1]);
        int columns = Integer.parseInt(arguments[2]);
        String protocol = arguments[3];
        long ofProtocol = Long.parseLong(arguments[4]);
        tried("connects", c -> {
            equal(c.getMetaData().getDatabaseMajorVersion(), 15);
            equal(c.isValid(5), true);
        });
        tried("values of all types", c -> {
            ResultSet row = c.createStatement().executeQuery(
                "SELECT 7::smallint, 70000, 5000000000::bigint, 1.5::real, 2.25::double precision, 12.34::numeric(10, 2), true, 'gr\u00fc\u00dfe', "
                    + "DATE '2026-11-02', TIMESTAMP '2026-11-02 10:20:30.5', TIMESTAMPTZ '2026-11-02 10:20:30.5+00', NULL::text");
            row.next();
            equal(row.getShort(1), (short) 7);
            equal(row.getLong(3), 5000000000L);
            equal(row.getDouble(5), 2.25);
            equal(row.getBigDecimal(6).toString(), "12.34");
            equal(row.getBoolean(7), true);
            equal(row.getString(8), "gr\u00fc\u00dfe");
            equal(row.getObject(9, LocalDate.class), LocalDate.of(2026, 11, 2));
            equal(row.getObject(10, LocalDateTime.class), LocalDateTime.of(2026, 11, 2, 10, 20, 30, 500_000_000));
            equal(row.getObject(11, OffsetDateTime.class).toInstant(), Instant.parse("2026-11-02T10:20:30.5Z"));
            equal(row.getString(12), null);
        });
        tried("the time zone of the machine", c -> {
            ResultSet row = c.createStatement().executeQuery("SHOW timezone");
            row.next();
            equal(row.getString(1), ZoneId.systemDefault().getId());
            row = c.createStatement().executeQuery("SELECT TIMESTAMPTZ '2026-07-02 22:30:00+00'::date");
            row.next();
            equal(row.getObject(1, LocalDate.class), LocalDate.of(2026, 7, 3));
        });
        tried("bound values, prepared on the server", c -> {
            try (PreparedStatement statement = c.prepareStatement("SELECT count(*) FROM sign_ins WHERE protocol = ? AND signed_in_at > ?")) {
                for (int run = 0; run < 8; run++) {
                    statement.setString(1, protocol);
                    statement.setObject(2, OffsetDateTime.of(2000, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC));
                    ResultSet row = statement.executeQuery();
                    row.next();
                    equal(row.getLong(1), ofProtocol);
                }
            }
        });
        tried("rows by a cursor", c -> {
            c.setAutoCommit(false);
            Statement statement = c.createStatement();
            statement.setFetchSize(50);
            equal(count(statement.executeQuery("SELECT * FROM sign_ins")), signIns);
            c.commit();
        });
        tried("transactions and savepoints", c -> {
            c.setAutoCommit(false);
            Savepoint savepoint = c.setSavepoint("here");
            try {
                c.createStatement().executeQuery("SELECT nothing FROM nowhere");
            } catch (SQLException error) {
                equal(error.getSQLState(), "42P01");
            }
            c.rollback(savepoint);
            equal(count(c.createStatement().executeQuery("SELECT 1")), 1);
            c.commit();
        });
        tried("writing is refused with 25006", c -> {
            try {
                c.createStatement().executeUpdate("DELETE FROM sources");
                throw new AssertionError("was taken");
            } catch (SQLException error) {
                equal(error.getSQLState(), "25006");
            }
        });
        tried("getTables", c -> {
            Set<String> names = new HashSet<>();
            ResultSet rows = c.getMetaData().getTables(null, "public", "%", new String[] {"TABLE", "VIEW"});
            while (rows.next()) {
                names.add(rows.getString("TABLE_NAME") + " " + rows.getString("TABLE_TYPE"));
            }
            equal(names.contains("sign_ins VIEW") && names.contains("sources TABLE"), true);
        });
        tried("getColumns", c -> equal(count(c.getMetaData().getColumns(null, "public", "sign\\_ins", "%")), columns));
        tried("getSchemas", c -> equal(count(c.getMetaData().getSchemas()) > 0, true));
        tried("getPrimaryKeys", c -> equal(count(c.getMetaData().getPrimaryKeys(null, "public", "sources")), 0));
        tried("getImportedKeys", c -> equal(count(c.getMetaData().getImportedKeys(null, "public", "sources")), 0));
        tried("getIndexInfo", c -> equal(count(c.getMetaData().getIndexInfo(null, "public", "sources", false, false)), 0));
        tried("getTypeInfo", c -> equal(count(c.getMetaData().getTypeInfo()) > 0, true));
        tried("getFunctions", c -> equal(count(c.getMetaData().getFunctions(null, "public", "%")), 0));
        tried("COPY", c -> {
            java.io.StringWriter out = new java.io.StringWriter();
            long rows = ((org.postgresql.PGConnection) c).getCopyAPI().copyOut("COPY (SELECT 1, 'a') TO STDOUT WITH CSV", out);
            equal(rows + out.toString(), "11,a\n");
        });
    }
}
