"""Random tables, changes and schema changes for the property test: SQL that may fail in parts (the
tables are what they are afterwards), and a model of what each table's columns are at the end."""
from cdc_reference import KEYS, KINDS, TOASTED, Array

NAMES = ["a", "Order", "select", 'quo"te', "it's", "dots.in.name", "sp ace", "back\\slash", "käse", "日本語", "😀",
         "per%s%n", "tab\tin", "new\nline", "$1", "{}", "-- x", "[0]", "UPPER", "x" * 50, "a,b", "c:d", "*", "(", "#"]
BY_SQL = {k.sql: k for k in KINDS}


def ident(name):
    return '"' + name.replace('"', '""') + '"'


def literal(value, kind=None):
    if value is None:
        return "NULL"
    return "'" + value.replace("'", "''") + "'" + (f"::{kind.sql}" if kind else "")


def copied(value):
    """In COPY's text format."""
    if value is None:
        return "\\N"
    for plain, escaped in (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        value = value.replace(plain, escaped)
    return value


class Column:
    def __init__(self, name, kind, not_null=False, default=None, generated=False, pool=None):
        self.name, self.kind, self.not_null, self.default = name, kind, not_null, default
        self.generated, self.pool = generated, pool

    def value(self, rng, long=False):
        if self.pool:
            return rng.choice(self.pool)
        if not self.not_null and rng.random() < 0.15:
            return None
        if long and self.kind.toast:
            return self.kind.toast(rng)
        while True:
            v = self.kind.make(rng)
            if not self.not_null or "NaN" not in v:  # what cannot be converted fails the task
                return v

    def sql(self):
        return (f"{ident(self.name)} {self.kind.sql}" + (" NOT NULL" if self.not_null else "")
                + (f" DEFAULT {self.default}" if self.default else "")
                + (" GENERATED ALWAYS AS (1 + 1) STORED" if self.generated else ""))


class Table:
    """keyed: its rows are told apart by the records' keys; else they are a bag. identity: of the
    replica: default, full, nothing, index (of the unique columns)."""

    def __init__(self, rng, number, schema):
        self.rng, self.number, self.schema = rng, number, schema
        self.taken, self.fresh = set(), 0  # names
        self.name = self.fresh_name("t")
        self.columns, self.parts, self.indexes = [], [], 0
        self.partitioned = rng.random() < 0.06
        shape = "pk" if self.partitioned else rng.choices(["pk", "unique", "none"], [70, 12, 18])[0]
        self.shape = shape
        self.key = []
        if shape != "none":
            for _ in range(1 + self.partitioned + rng.choice([0, 0, 0, 1, 2])):
                self.key.append(self.key_column().name)
            if self.partitioned:
                self.columns[0].kind = BY_SQL["integer"]
                self.columns[0].pool = ["0", "1", "2", "3"]
            rng.shuffle(self.columns)
        for _ in range(rng.choice([0, 1, 3, 6, 12])):
            self.columns.insert(rng.randint(0, len(self.columns)), self.random_column())
        self.identity = {"pk": rng.choice(["default", "default", "full"]), "none": rng.choice(["full", "nothing"]),
                         "unique": rng.choice(["index", "full", "nothing"])}[shape]
        if self.partitioned:
            self.identity = "default"

    # ---- names and values ----

    def fresh_name(self, what):
        base = self.rng.choice(NAMES) if self.rng.random() < 0.5 else what
        name = f"{base}{self.number}" if what == "t" else base
        # Not one that a dropped column had: of that, the catalog would tell what holds for the new one.
        while name.lower() in self.taken:
            self.fresh += 1
            name = f"{base[:40]}_{self.fresh}"
        self.taken.add(name.lower())
        return name

    def key_column(self):
        kind = self.rng.choice(KEYS)
        column = Column("", kind, True)
        column.name = self.fresh_name("k")
        column.pool = [kind.make(self.rng) for _ in range(6)]
        self.columns.append(column)
        return column

    def random_column(self):
        rng = self.rng
        kind = rng.choice(rng.kinds) if rng.random() < 0.9 else rng.choice(TOASTED)
        if rng.random() < 0.15 and kind.name != "none":
            kind = Array(kind)
        column = Column(self.fresh_name("c"), kind)
        roll = rng.random()
        if roll < 0.06:
            column.kind, column.generated = BY_SQL["integer"], True
        elif roll < 0.2 and not kind.omitted:
            column.not_null = True
        if not column.generated and rng.random() < 0.2:
            column.default = literal((kind.literal or kind.make)(rng), kind)
            if kind.sql in ("timestamp", "timestamptz", "date"):
                column.default = rng.choice([column.default, "now()", "current_date"])
        return column

    @property
    def full_name(self):
        return f"{ident(self.schema)}.{ident(self.name)}"

    @property
    def settable(self):
        return [c for c in self.columns if not c.generated]

    @property
    def writable(self):
        """Whether updates and deletes pass."""
        return self.identity != "nothing"

    # ---- statements ----

    def create(self):
        parts = [c.sql() for c in self.columns]
        if self.shape == "pk":
            parts.append(f"PRIMARY KEY ({', '.join(map(ident, self.key))})")
        by = f" PARTITION BY LIST ({ident(self.key[0])})" if self.partitioned else ""
        sql = [f"CREATE TABLE {self.full_name} ({', '.join(parts)}){by};"]
        if self.shape == "unique":
            self.indexes += 1
            sql.append(f"CREATE UNIQUE INDEX ix_{self.number}_{self.indexes} ON {self.full_name}"
                       f" ({', '.join(map(ident, self.key))});")
        if self.partitioned:
            sql += [self.attach("0, 1"), self.attach(None)]
        sql.append(self.identity_sql())
        return sql

    def attach(self, values):
        part = f"part {self.number}_{len(self.parts)}"
        self.parts.append(part)
        bound = f"FOR VALUES IN ({values})" if values else "DEFAULT"
        return f"CREATE TABLE {ident(self.schema)}.{ident(part)} PARTITION OF {self.full_name} {bound};"

    def identity_sql(self):
        if self.identity == "index":
            return f"ALTER TABLE {self.full_name} REPLICA IDENTITY USING INDEX ix_{self.number}_{self.indexes};"
        return f"ALTER TABLE {self.full_name} REPLICA IDENTITY {self.identity.upper()};"

    def where(self):
        if self.key and self.rng.random() < 0.9:
            by_name = {c.name: c for c in self.columns}
            return " AND ".join(f"{ident(k)} = {literal(by_name[k].value(self.rng), by_name[k].kind)}"
                                for k in self.key)
        return f"ctid IN (SELECT ctid FROM {self.full_name} LIMIT 2)" if not self.partitioned else "true"

    def row(self, columns, long=None):
        long = self.rng.random() < 0.3 if long is None else long
        return [c.value(self.rng, long) for c in columns]

    def insert(self):
        columns = [c for c in self.settable if not (c.default and self.rng.random() < 0.5)]
        if not columns:
            return f"INSERT INTO {self.full_name} DEFAULT VALUES;"
        rows = ", ".join("(" + ", ".join(literal(v, c.kind) for v, c in zip(self.row(columns), columns)) + ")"
                         for _ in range(self.rng.choice([1, 1, 2, 3])))
        ignore = " ON CONFLICT DO NOTHING" if self.key else ""
        return f"INSERT INTO {self.full_name} ({', '.join(ident(c.name) for c in columns)}) VALUES {rows}{ignore};"

    def copy(self):
        """Into a table that is emptied before, so that no key is there twice."""
        columns = self.settable
        if not columns:
            return self.insert()
        seen, lines = set(), []
        for _ in range(self.rng.randint(1, 4)):
            row = self.row(columns)
            key = tuple(v for v, c in zip(row, columns) if c.name in self.key)
            if key not in seen and not (self.key and seen and len(self.key) == 1 and not key):
                lines.append("\t".join(map(copied, row)))
            seen.add(key)
        lines = lines[:1] if self.key else lines  # different texts may be equal as numbers
        empty = "DELETE FROM" if self.writable and self.rng.random() < 0.5 else "TRUNCATE"
        return (f"{empty} {self.full_name};\nCOPY {self.full_name} ({', '.join(ident(c.name) for c in columns)})"
                " FROM STDIN;\n" + "\n".join(lines) + "\n\\.")

    def update(self, where=None):
        plain = [c for c in self.settable if c.name not in self.key]
        if not plain:
            return self.insert()
        chosen = self.rng.sample(plain, self.rng.randint(1, len(plain)))
        sets = ", ".join(f"{ident(c.name)} = " + (ident(c.name) if self.rng.random() < 0.2 else
                                                  literal(c.value(self.rng, self.rng.random() < 0.2), c.kind))
                         for c in chosen)
        return f"UPDATE {self.full_name} SET {sets} WHERE {where or self.where()};"

    def move(self):
        """A change of the key."""
        if not self.key:
            return self.update()
        column = next(c for c in self.columns if c.name == self.rng.choice(self.key) or c.name == self.key[0])
        value = literal(column.value(self.rng), column.kind)
        others = " AND ".join([f"o.{ident(column.name)} = {value}"]
                              + [f"o.{ident(k)} = t.{ident(k)}" for k in self.key if k != column.name])
        return (f"UPDATE {self.full_name} t SET {ident(column.name)} = {value} WHERE "
                + self.where().replace("ctid IN", "t.ctid IN")
                + f" AND NOT EXISTS (SELECT 1 FROM {self.full_name} o WHERE {others});")

    def delete(self):
        everything = self.rng.random() < 0.05
        return f"DELETE FROM {self.full_name} WHERE {'true' if everything else self.where()};"

    def change(self):
        pick = self.rng.choices(["insert", "update", "move", "delete", "truncate", "copy", "all"],
                                [50, 30, 8, 8, 1, 3, 3])[0]
        if pick == "insert" or (not self.writable and pick not in ("truncate", "copy")):
            return self.insert()
        if pick == "truncate":
            return f"TRUNCATE {self.full_name};"
        return self.update("true") if pick == "all" else getattr(self, pick)()

    # ---- schema changes ----

    def again(self, renamed=False):
        """Writes all rows anew: what a schema change does to them is not in the stream."""
        names = ", ".join(ident(c.name) for c in self.settable)
        if not names:
            return [f"TRUNCATE {self.full_name};"]
        empty = "DELETE FROM" if self.writable and self.key and not renamed and self.rng.random() < 0.5 else "TRUNCATE"
        return [f"CREATE TEMP TABLE again ON COMMIT DROP AS SELECT {names} FROM {self.full_name};",
                f"{empty} {self.full_name};",
                f"INSERT INTO {self.full_name} ({names}) SELECT {names} FROM again;"]

    def alter(self, what):
        return f"ALTER TABLE {self.full_name} {what};"

    def schema_change(self, key=False):
        """One transaction. key: of the key, for which the connector must have caught up."""
        rng = self.rng
        before = [] if key else ["BEGIN;", self.change(), "COMMIT;"]
        plain = [c for c in self.settable if c.name not in self.key]
        pick = rng.choice(["key"] if key else ["add", "add", "drop", "rename", "type", "type", "identity", "table",
                                                "default", "rename_table", "order"])
        sql = []
        if pick in ("drop", "rename", "type", "default") and not plain:
            pick = "add"
        if pick in ("rename_table", "table") and self.partitioned:
            pick = "add"
        if pick == "add":
            column = self.random_column()
            if column.not_null and not column.default:
                column.not_null = False
            self.columns.append(column)
            sql = [self.alter(f"ADD COLUMN {column.sql()}")]
        elif pick in ("drop", "order"):
            column = rng.choice(plain) if plain else None
            if column:
                self.columns.remove(column)
                sql = [self.alter(f"DROP COLUMN {ident(column.name)}")]
            if pick == "order" and column:  # comes back as the last, as another type
                other = self.random_column()
                other.name, other.not_null, other.default = column.name, False, None
                self.columns.append(other)
                sql.append(self.alter(f"ADD COLUMN {other.sql()}"))
        elif pick == "rename":
            column = rng.choice(plain)
            old, column.name = column.name, self.fresh_name("r")
            sql = [self.alter(f"RENAME COLUMN {ident(old)} TO {ident(column.name)}")]
        elif pick == "type":
            column = rng.choice(plain)
            to = "text"
            if column.kind.name == "int" and rng.random() < 0.7:
                to = rng.choice(["numeric", "bigint"])
            sql = [self.alter(f"ALTER COLUMN {ident(column.name)} DROP DEFAULT"),
                   self.alter(f"ALTER COLUMN {ident(column.name)} TYPE {to} USING {ident(column.name)}::{to}")]
            column.kind, column.default = BY_SQL[to], None
        elif pick == "identity":
            if self.shape == "pk" and not self.partitioned:
                self.identity = "full" if self.identity == "default" else "default"
            sql = [self.identity_sql()]
        elif pick == "default":
            column = rng.choice(plain)
            column.default = literal((column.kind.literal or column.kind.make)(rng), column.kind)
            sql = [self.alter(f"ALTER COLUMN {ident(column.name)} SET DEFAULT {column.default}")]
        elif pick == "rename_table":
            old, self.name = self.full_name, f"{self.name[:12]}_renamed{self.number}_{self.fresh}"
            self.fresh += 1
            sql = [f"ALTER TABLE {old} RENAME TO {ident(self.name)};"]
        elif pick == "table":
            sql = [f"TRUNCATE {self.full_name};", f"DROP TABLE {self.full_name};", *self.create()]
        elif pick == "key":
            sql = self.change_key()
        return [*before, "BEGIN;", *sql, *self.again(pick == "rename_table"), self.insert(), "COMMIT;"]

    def change_key(self):
        """Another primary key over the same or more columns, or none."""
        if self.shape != "pk" or self.partitioned:
            return [self.identity_sql()]
        sql = [f"TRUNCATE {self.full_name};",
               f"DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)"
               f" FROM pg_constraint WHERE contype = 'p' AND conrelid = {literal(self.full_name)}::regclass); END $$;"]
        if self.rng.random() < 0.3:
            for c in self.columns:
                c.pool, c.not_null = None, c.not_null
            self.key, self.shape, self.identity = [], "none", "full"
        else:
            self.key.append(self.key_column().name)
            self.rng.shuffle(self.key)
            sql += [self.alter(f"ADD COLUMN {self.columns[-1].sql()}"),
                    self.alter(f"ADD PRIMARY KEY ({', '.join(map(ident, self.key))})")]
        return [*sql, self.identity_sql()]


def transaction(rng, tables):
    """Statements of one transaction over some of the tables; some of it rolled back, or all."""
    sql = ["BEGIN;"]
    for _ in range(rng.choice([1, 1, 2, 4, 8])):
        table = rng.choice(tables)
        if rng.random() < 0.15:
            sql += ["SAVEPOINT s;", table.change(), rng.choice(["ROLLBACK TO s;", "RELEASE s;"])]
            sql.append(table.change())
        else:
            sql.append(table.change())
    return sql + [rng.choices(["COMMIT;", "ROLLBACK;"], [19, 1])[0]]
