"""postgres-cdc over TLS: every sslmode, client certificates with keys of every form, SCRAM."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import cdc_golden
from cdc_dump import Dump, content
from harness import Postgres, becomes, equal, seconds


def openssl(directory, *args):
    subprocess.run(["openssl", *args], cwd=directory, check=True, capture_output=True)


def sign(directory, name, subject, san=None):
    """name.key and name.crt, signed by the authority of the directory."""
    openssl(directory, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", f"/CN={subject}")
    extension = directory / f"{name}.ext"
    extension.write_text(f"subjectAltName={san}\n" if san else "basicConstraints=CA:FALSE\n")
    openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "30", "-out", f"{name}.crt", "-extfile", str(extension))


def authority(directory, name):
    openssl(directory, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-keyout", f"{name}.key",
            "-out", f"{name}.crt", "-subj", f"/CN={name}")


def certificates(t):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sluice-tls.", dir="/var/tmp"))
    t.cleanup(shutil.rmtree, directory)
    authority(directory, "ca")
    authority(directory, "other")
    sign(directory, "server", "localhost", "DNS:localhost")
    sign(directory, "client", "cert_user")
    openssl(directory, "pkcs8", "-topk8", "-nocrypt", "-in", "client.key", "-outform", "DER", "-out", "client.pk8")
    openssl(directory, "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:geheim", "-in", "client.key",
            "-out", "client.enc.key")
    (directory / "pg_hba.conf").write_text("""
hostssl all cert_user 127.0.0.1/32 cert
hostnossl all scram_plain 127.0.0.1/32 scram-sha-256
hostssl all tls_only 127.0.0.1/32 scram-sha-256
host all postgres 127.0.0.1/32 scram-sha-256
host all sluice 127.0.0.1/32 scram-sha-256
""")
    os.chmod(directory, 0o755)
    for path in directory.iterdir():
        os.chmod(path, 0o600)
    if os.getuid() == 0:
        for name in ("server.key", "server.crt", "ca.crt", "pg_hba.conf"):
            shutil.chown(directory / name, "postgres", "postgres")
    os.chmod(directory / "ca.crt", 0o644)
    return directory


def server_with(t, directory):
    server = Postgres(t.directory / "services")
    server.start(POSTGRES_EXTRA=f"""ssl = on
ssl_cert_file = '{directory}/server.crt'
ssl_key_file = '{directory}/server.key'
ssl_ca_file = '{directory}/ca.crt'
hba_file = '{directory}/pg_hba.conf'""")
    t.cleanup(server.stop)
    t._postgres = server
    for role in ("cert_user", "scram_plain", "tls_only"):
        server.sql(f"create role {role} login superuser replication password 'geheim'", "postgres", "postgres")
    return server


def attempt(t, db, number, **options):
    """The log of a run that reads the table, or fails; and whether the connection was encrypted."""
    directory = t.directory / f"run{number}"
    directory.mkdir()
    options = {k.replace("__", "."): v for k, v in options.items()}
    dump = Dump(t, db, **{"slot.name": f"s{number}", "publication.name": "p", "database.hostname": "localhost",
                          "errors.max.retries": "0", "database.password": "geheim", **options})
    dump.offset, dump.out, dump.log = (directory / n for n in ("offset.json", "out.json", "log"))
    ours = " from pg_stat_ssl s join pg_stat_activity a using (pid) where a.application_name like 'Debezium%'"
    becomes(lambda: t.postgres.sql("select count(*)" + ours, db, "postgres"), "0", "connections of the attempt before")
    dump.start()
    tls = None

    def seen():
        nonlocal tls
        if dump.process.poll() is not None:
            return True
        if content(dump.records(), "srv.public.k"):
            tls = t.postgres.sql("select bool_and(s.ssl)" + ours, db, "postgres")
        return tls

    cdc_golden.wait("the table, or the end", seen)
    failed = dump.process.poll() is not None
    dump.kill()
    return dump.text(), None if failed else tls == "t"


@seconds(240)
def test_modes_and_certificates(t):
    d = certificates(t)
    server_with(t, d)
    db = t.database()
    t.postgres.sql("create table k (id int primary key, v int, w text); insert into k values (1, 0, 'a')", db, "postgres")
    ca, other = str(d / "ca.crt"), str(d / "other.crt")
    tls = {"database__user": "tls_only"}
    client = {"database__user": "cert_user", "database__sslmode": "verify-full", "database__sslrootcert": ca,
              "database__sslcert": str(d / "client.crt")}
    cases = [  # options, encrypted (None: refused), what the message says
        ({**tls, "database__sslmode": "disable"}, None, ["tls_only", "pg_hba.conf"]),
        ({"database__user": "scram_plain", "database__sslmode": "disable"}, False, []),
        ({**tls, "database__sslmode": "allow"}, True, []),
        ({**tls, "database__sslmode": "prefer"}, True, []),
        ({"database__user": "scram_plain", "database__sslmode": "prefer"}, False, []),
        ({"database__user": "scram_plain", "database__sslmode": "require"}, None, ["pg_hba.conf"]),
        ({**tls, "database__sslmode": "require"}, True, []),
        ({**tls, "database__sslmode": "verify-ca", "database__sslrootcert": other}, None, ["certificate verify failed"]),
        ({**tls, "database__sslmode": "verify-ca", "database__sslrootcert": ca, "database__hostname": "127.0.0.1"}, True, []),
        ({**tls, "database__sslmode": "verify-full", "database__sslrootcert": ca}, True, []),
        ({**tls, "database__sslmode": "verify-full", "database__sslrootcert": ca, "database__hostname": "127.0.0.1"}, None,
         ["localhost", "does not match"]),
        ({**tls, "database__sslmode": "require", "database__password": "wrong-4711"}, None, ["tls_only", "password"]),
        (client, None, ["cert_user", "certificate"]),  # no key
        ({**client, "database__sslkey": str(d / "client.key")}, True, []),
        ({**client, "database__sslkey": str(d / "client.pk8")}, True, []),
        ({**client, "database__sslkey": str(d / "client.enc.key"), "database__sslpassword": "geheim"}, True, []),
        ({**client, "database__sslkey": str(d / "client.enc.key"), "database__sslpassword": "falsch-4711"}, None,
         ["client.enc.key"]),
    ]
    for number, (options, wanted, pieces) in enumerate(cases):
        log, got = attempt(t, db, number, **options)
        equal(got, wanted, f"case {number} {options}: {log}")
        for piece in pieces:
            assert piece in log, (number, options, piece, log)
        assert "4711" not in log, log
