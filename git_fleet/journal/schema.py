"""The tables of the journal's database, as the steps that lead to them."""

MIGRATIONS = (
    """
    CREATE TABLE operation (
        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, state TEXT NOT NULL, summary TEXT NOT NULL,
        began_s REAL NOT NULL, ended_s REAL, detail TEXT NOT NULL DEFAULT '{}');
    CREATE TABLE change (
        operation INTEGER NOT NULL REFERENCES operation(id), position INTEGER NOT NULL, kind TEXT NOT NULL,
        name TEXT NOT NULL, before TEXT, after TEXT, PRIMARY KEY (operation, position));
    CREATE TABLE landing (
        task TEXT NOT NULL, tip TEXT NOT NULL, landed_commit TEXT NOT NULL, operation INTEGER NOT NULL,
        PRIMARY KEY (task, landed_commit));
    CREATE TABLE gate_result (
        tree TEXT NOT NULL, command TEXT NOT NULL, verdict TEXT NOT NULL, seconds REAL NOT NULL, log TEXT,
        at_s REAL NOT NULL, task TEXT, PRIMARY KEY (tree, command));
    """,
    """
    CREATE TABLE merge_result (
        scope TEXT NOT NULL, base TEXT NOT NULL, one TEXT NOT NULL, other TEXT NOT NULL, at_s REAL NOT NULL,
        verdict TEXT NOT NULL, first INTEGER NOT NULL, tree TEXT NOT NULL, insertions INTEGER NOT NULL,
        deletions INTEGER NOT NULL, kinds TEXT NOT NULL, paths BLOB NOT NULL, changes BLOB NOT NULL,
        PRIMARY KEY (scope, base, one, other)) WITHOUT ROWID;
    """,
    """
    ALTER TABLE gate_result RENAME TO gate_result_before;
    CREATE TABLE gate_result (
        tree TEXT NOT NULL, command TEXT NOT NULL, environment TEXT NOT NULL, verdict TEXT NOT NULL,
        seconds REAL NOT NULL, log TEXT, at_s REAL NOT NULL, task TEXT, PRIMARY KEY (tree, command, environment));
    INSERT INTO gate_result SELECT tree, command, '', verdict, seconds, log, at_s, task FROM gate_result_before;
    DROP TABLE gate_result_before;
    """,
    """
    CREATE TABLE mark (
        id INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT NOT NULL, state TEXT NOT NULL, why TEXT, who TEXT NOT NULL,
        at_s REAL NOT NULL, tip TEXT);
    CREATE INDEX mark_of_task ON mark (task, id);
    """,
    """
    CREATE TABLE agent (
        id INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT NOT NULL, worktree TEXT NOT NULL, pid INTEGER NOT NULL,
        identity TEXT, log TEXT NOT NULL, began_s REAL NOT NULL, ended_s REAL);
    """,
    """
    CREATE TABLE review (
        id INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT NOT NULL, tip TEXT NOT NULL, who TEXT NOT NULL,
        at_s REAL NOT NULL, answer TEXT, began_s REAL);
    CREATE TABLE phase (
        operation INTEGER NOT NULL REFERENCES operation(id), state TEXT NOT NULL, task TEXT, at_s REAL NOT NULL);
    ALTER TABLE landing ADD COLUMN at_s REAL;
    """,
)
"""Step n brings a database from `user_version` n to n + 1; a step is never edited once it was released."""
