"""Words by which a guess takes a table or a column for what it is. Nothing else hangs on them."""


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


PASSWORDS = _listed("password, passwd, pass, pwd, passwort, passphrase, pwhash, passhash, kennwort, password hash")
HASHES = _listed("hash, crypt, digest, secret, credential, pw")
NOT_PASSWORDS = _listed(
    "reset, token, hint, changed, change, expires, expired, must, force, question, salt, algorithm, algo, "
    "last, old, required, version, policy, count, attempts, failed, at, totp, otp, mfa"
)
LOGINS = _listed(
    "login, username, user name, login name, loginname, logon, userid, user id, nickname, nick, handle, "
    "kennung, benutzer, benutzername, account, mail, email, e mail, email address, name, uid"
)
MAILS = _listed("mail, email, e mail, email address, mailaddress")
NAMES = _listed("display name, full name, fullname, real name, realname, name, title, first name, firstname")
PEOPLE = _listed("user, users, account, accounts, member, members, admin, admins, adminuser, person, people, staff")
NO_PEOPLE = _listed("client, clients, app, api, token, tokens, session, sessions, invite, history, archive, backup")
ON = _listed("active, enabled, activated, valid, aktiv, ok, normal, live, confirmed, approved")
OFF = _listed("disabled, blocked, suspended, inactive, locked, banned, frozen, deactivated, gesperrt, revoked, off")
DELETED = _listed("deleted, removed, archived, left, gone, geloescht")
STATUS = _listed("status, state, condition, zustand")
COUNTERS = _listed("failed, wrong, attempts, tries, failures, bad, invalid, fehlversuche")
SEEN = _listed(
    "last login, lastlogin, last sign in, last signin, last seen, seen, logged in, last access, last "
    "visit, last active, last auth, login at, signed in, letzter login"
)
UPDATED = _listed("updated, changed, modified, mtime")
FACTORS = _listed("totp, otp, mfa, 2 fa, two factor, twofactor, second factor, authenticator, tfa")
OUTSIDE = _listed("idp, provider, sso, ldap, saml, oauth, external")
SECRETS = _listed(
    "secret, token, seed, salt, pin, recovery, api key, apikey, hash, password, private, "
    "backup code, backup codes, invite code, reset code, verification code"
)
TENANTS = _listed(
    "tenant, tenants, company, companies, organization, organizations, organisation, organisations, org, "
    "orgs, workspace, workspaces, firm, customer, site, domain, realm, house, mandant, estate"
)
SYSTEM = _listed("system, house, internal, root, platform, operator, master, own, main, default, primary")
OWNERS = _listed(
    "platform owner, system owner, owner, superadmin, super admin, superuser, super user, super, root, "
    "sysadmin, system administrator, administrator, administrators, admin, admins, chief, steward"
)
OWNER_FLAGS = _listed("superuser, superadmin, super admin, admin, administrator, owner, root")
ROLES = _listed("role, roles, rolle, group, groups, rank, profile, duty")
SESSIONS = _listed("session, sessions, token, tokens, cookie, cookies")
NO_SESSIONS = _listed("reset, invite, verification, api, confirm")
AUDITS = _listed("audit, auditlog, activity, journal, protokoll, event, events, log, logs, history")
