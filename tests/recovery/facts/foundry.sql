-- Foundry, an invented build service: people, groups and robots in one table with a reserved name and mixed letters, ids without
-- default, disabled as an integer, an enum, an array, JSON, and moments in milliseconds, in microseconds and as naive UTC.
CREATE TYPE "principalKind" AS ENUM ('person', 'group', 'robot');
CREATE TABLE "user" (
    "userId"       uuid PRIMARY KEY,
    kind           "principalKind" NOT NULL,
    "loginName"    varchar(40) NOT NULL,
    "displayName"  text,
    "passwordHash" varchar(60),
    "isDisabled"   smallint NOT NULL DEFAULT 0,
    scopes         text[] NOT NULL DEFAULT '{}',
    prefs          jsonb NOT NULL DEFAULT '{}',
    "createdMs"    bigint NOT NULL,
    "createdUs"    bigint NOT NULL,
    "createdAt"    timestamp NOT NULL,
    "createdDay"   date NOT NULL,
    UNIQUE ("loginName")
);
CREATE TABLE "group" (
    "groupId"   char(16) PRIMARY KEY,
    "memberId"  uuid NOT NULL REFERENCES "user",
    "inGroup"   uuid NOT NULL REFERENCES "user",
    "order"     numeric NOT NULL DEFAULT 1,
    UNIQUE ("memberId", "inGroup")
);
CREATE SEQUENCE "eventNo" START 70;
CREATE TABLE "Event" (
    "no"   bigint PRIMARY KEY,
    "what" text NOT NULL,
    "who"  uuid NOT NULL
);

INSERT INTO "user" ("userId", kind, "loginName", "displayName", "passwordHash", "isDisabled", scopes, prefs, "createdMs",
                    "createdUs", "createdAt", "createdDay")
VALUES ('00000000-0000-0000-0000-000000000001', 'group', 'Founders', 'founders', NULL, 0, '{all}', '{}', 1, 1, '2026-01-01', '2026-01-01'),
       ('00000000-0000-0000-0000-000000000002', 'group', 'Keepers', 'keepers', NULL, 0, '{all}', '{}', 1, 1, '2026-01-01', '2026-01-01'),
       ('00000000-0000-0000-0000-00000000000a', 'person', 'fay', 'Fay', '$2b$04$' || repeat('a', 53), 0, '{build}',
        '{"theme": "dark", "weights": [1, 2.50]}', 1, 1, '2026-01-01', '2026-01-01'),
       ('00000000-0000-0000-0000-00000000000b', 'person', 'gil', 'Gil', '$2b$04$' || repeat('b', 53), 2, '{build,blocked}',
        '{"locked": true}', 1, 1, '2026-01-01', '2026-01-01'),
       ('00000000-0000-0000-0000-00000000000c', 'robot', 'ci', 'CI', NULL, 0, '{build}', '{}', 1, 1, '2026-01-01', '2026-01-01'),
       ('00000000-0000-0000-0000-00000000000d', 'person', 'visitor', 'Visitor', '$2b$04$' || repeat('c', 53), 0, '{}', '{}', 1, 1,
        '2026-01-01', '2026-01-01');
INSERT INTO "group" ("groupId", "memberId", "inGroup")
VALUES ('g00000000000000a', '00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-000000000001'),
       ('g00000000000000b', '00000000-0000-0000-0000-00000000000b', '00000000-0000-0000-0000-000000000001'),
       ('g00000000000000c', '00000000-0000-0000-0000-00000000000c', '00000000-0000-0000-0000-000000000001');
