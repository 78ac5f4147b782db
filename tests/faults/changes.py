"""What a platform's people may do to their database between a plan and its run; each an SQL text for a superuser."""

TRIGGER = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN {body} RETURN NEW; END $$;
CREATE TRIGGER {name} AFTER INSERT OR UPDATE ON adminuser FOR EACH ROW EXECUTE FUNCTION {name}();
"""
RAISES = TRIGGER.format(name="refuse", body="RAISE EXCEPTION 'accounts are frozen this week';")
HANGS = TRIGGER.format(name="hang", body="PERFORM pg_sleep(60);")
COLUMN_DROPPED = "ALTER TABLE adminuser DROP COLUMN failed_logins"
TYPE_CHANGED = "ALTER TABLE adminuser ALTER COLUMN display_name TYPE jsonb USING to_jsonb(display_name)"
COLUMN_ADDED = (
    "ALTER TABLE adminuser ADD COLUMN region text NOT NULL DEFAULT 'x'; ALTER TABLE adminuser ALTER region DROP DEFAULT"
)
ROWS_HIDDEN = "ALTER TABLE adminuser ENABLE ROW LEVEL SECURITY"

# Outside of the user tables, so that "nothing else changed" does not see it: a rule that breaks inside the COMMIT itself,
# because it puts itself off again when the console asks for all of them at once.
BOMB = """
CREATE TABLE information_schema.bomb (n int);
CREATE FUNCTION explode() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN RAISE EXCEPTION 'the books do not balance' USING ERRCODE = '{state}', CONSTRAINT = 'books_balance', TABLE = 'bomb'; END $$;
CREATE CONSTRAINT TRIGGER explode AFTER INSERT ON information_schema.bomb DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION explode();
CREATE FUNCTION lay() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN SET CONSTRAINTS ALL DEFERRED; INSERT INTO information_schema.bomb VALUES (1); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER lay AFTER UPDATE ON adminuser DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lay();
"""

# The first time is in the rehearsal; a sequence counts also what is rolled back.
BUSY = "CREATE SEQUENCE information_schema.times;" + TRIGGER.format(
    name="collide",
    body="IF nextval('information_schema.times') IN ({times}) THEN RAISE EXCEPTION 'collision' USING ERRCODE = '{state}'; END IF;",
)
