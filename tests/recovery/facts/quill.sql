-- Quill, an invented wiki: names begin with a capital letter, numbers come from a table, who may not sign in has a row in `barred`,
-- moments are texts of fourteen digits or 'infinity', and nobody owns the installation but the one row of settings.
CREATE SCHEMA quill;
CREATE TABLE quill.counter (what text PRIMARY KEY, last_no bigint NOT NULL);
CREATE TABLE quill.writer (
    writer_no   bigint PRIMARY KEY,
    writer_name text NOT NULL UNIQUE CHECK (writer_name = upper(left(writer_name, 1)) || substr(writer_name, 2)),
    real_name   text NOT NULL DEFAULT '',
    secret      text NOT NULL DEFAULT '',
    remember_me varchar(32),
    touched     char(14) NOT NULL,
    seen_at     timestamp
);
CREATE TABLE quill.in_group (
    writer_no bigint NOT NULL,
    in_group  text NOT NULL,
    until_at  timestamptz NOT NULL DEFAULT 'infinity'
);
CREATE TABLE quill.barred (
    writer_no bigint NOT NULL,
    why       text NOT NULL,
    until_at  timestamptz NOT NULL,
    UNIQUE (writer_no)
);
CREATE TABLE quill.setting (name text PRIMARY KEY, value jsonb NOT NULL);

INSERT INTO quill.counter VALUES ('writer', 9007199254740995), ('page', 12);
INSERT INTO quill.writer (writer_no, writer_name, secret, remember_me, touched, seen_at)
VALUES (9007199254740993, 'Ines', '$2b$04$' || repeat('a', 53), 'old', '20260101000000', '2026-01-01'),
       (9007199254740994, 'Otto', '$2b$04$' || repeat('b', 53), NULL, '20260101000000', 'infinity'),
       (9007199254740995, 'Reader', '$2b$04$' || repeat('c', 53), NULL, '20260101000000', NULL);
INSERT INTO quill.in_group (writer_no, in_group)
VALUES (9007199254740993, 'sysop'), (9007199254740993, 'bureaucrat'), (9007199254740994, 'bureaucrat');
INSERT INTO quill.barred VALUES (9007199254740994, 'by mistake', 'infinity'), (9007199254740995, 'spam', '2099-01-01');
INSERT INTO quill.setting VALUES ('site', '{"name": "Quill", "read_only": false}'), ('skin', '"plain"');
