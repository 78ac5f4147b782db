-- Parish, an invented address book: a schema and names that need quotes, owners listed in a row of the settings, an inverted boolean,
-- being disabled is to be in a group, ids in hexadecimal, seconds since 1970, and a table that keeps what was deleted.
CREATE SCHEMA "Parish Hall";
CREATE DOMAIN "Parish Hall".handle AS varchar(64) CHECK (VALUE ~ '^[a-z0-9._@-]+$');
CREATE TABLE "Parish Hall"."select" (
    "Id"          char(32) PRIMARY KEY,
    "from"        "Parish Hall".handle NOT NULL UNIQUE,
    "Naïve name"  text,
    "pass word"   text,
    "not allowed" boolean,
    "table"       integer NOT NULL,
    token         text NOT NULL DEFAULT ''
);
CREATE TABLE "Parish Hall".members ("who" char(32) NOT NULL, "group" text NOT NULL, PRIMARY KEY ("group", "who"));
CREATE TABLE "Parish Hall".settings (id serial PRIMARY KEY, name text NOT NULL UNIQUE, value json NOT NULL, list jsonb, factor real);

INSERT INTO "Parish Hall"."select" ("Id", "from", "Naïve name", "pass word", "not allowed", "table")
VALUES (repeat('a', 32), 'ann', 'Ann', '$2b$04$' || repeat('a', 53), false, 1),
       (repeat('b', 32), 'ben', 'Ben', '$2b$04$' || repeat('b', 53), true, 1),
       (repeat('c', 32), 'cat', 'Cat', '$2b$04$' || repeat('c', 53), NULL, 1);
INSERT INTO "Parish Hall".members VALUES (repeat('b', 32), 'stopped'), (repeat('a', 32), 'choir'), (repeat('c', 32), 'stopped');
INSERT INTO "Parish Hall".settings (name, value, list, factor)
VALUES ('owners', '{"max": 2.50}', '["ann", "ben", 1.50]', 0.1), ('other', '[]', NULL, NULL);
