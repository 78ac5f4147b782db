-- Beacon, an invented watch service: four flags in one number, ids made from the login, tables without any unique rule, left-over rows
-- of a deleted account that collide, and a tenant row that must point at a living account.
CREATE SCHEMA ops;
CREATE SCHEMA archive;
CREATE TABLE ops.site (
    site_no    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug       text NOT NULL UNIQUE,
    created_by text,
    changed_at timestamp NOT NULL DEFAULT '2026-01-01'
);
CREATE TABLE ops.operator (
    id        text PRIMARY KEY,
    site_no   bigint NOT NULL REFERENCES ops.site,
    mail      text NOT NULL,
    full_name text NOT NULL DEFAULT '',
    flags     integer NOT NULL DEFAULT 0,          -- 1 mail seen, 2 must change, 4 stopped, 8 owner
    tries     integer NOT NULL DEFAULT 0,
    made_us   bigint NOT NULL
);
CREATE UNIQUE INDEX operator_mail ON ops.operator (lower(mail));
CREATE TABLE ops.login (
    login       text PRIMARY KEY,
    operator_id text NOT NULL,
    hash        text NOT NULL
);
CREATE TABLE ops.duty (operator_id text, site_no bigint, duty text, shift_from date);
CREATE TABLE ops.session (cookie text PRIMARY KEY, operator_id text NOT NULL, seen_s bigint NOT NULL);
CREATE VIEW ops.house AS SELECT s.site_no, s.slug, s.created_by FROM ops.site AS s WHERE s.slug = 'house';
CREATE TABLE archive.operator (id text, mail text);

INSERT INTO ops.site (slug, created_by) VALUES ('house', NULL), ('customer', 'op:cleo@beacon.example');
INSERT INTO ops.operator (id, site_no, mail, full_name, flags, tries, made_us)
VALUES ('op:abe@beacon.example', 1, 'abe@beacon.example', 'Abe', 1 | 8, 7, 1),
       ('op:bea@beacon.example', 1, 'bea@beacon.example', 'Bea', 1 | 4 | 8, 0, 1),
       ('op:cleo@beacon.example', 2, 'cleo@beacon.example', 'Cleo', 1 | 4, 0, 1);
INSERT INTO ops.login SELECT mail, id, '$2b$04$' || repeat('a', 53) FROM ops.operator;
INSERT INTO ops.login VALUES ('gone@beacon.example', 'op:4711', '$2b$04$' || repeat('g', 53));   -- its operator was deleted
INSERT INTO ops.duty
VALUES ('op:abe@beacon.example', 1, 'admin', NULL), ('op:bea@beacon.example', 1, 'admin', '2026-01-01'),
       ('op:cleo@beacon.example', 2, 'admin', NULL), ('op:gone@beacon.example', 1, 'reader', NULL);
INSERT INTO archive.operator VALUES ('op:4711', 'gone@beacon.example');
