"""Who may use the proxy, and how much: tokens, signed tokens (JWT), rates, quotas.

Every door (sessions, the OpenAI one, the status page) asks in the same three steps:

    checked = await admitted(authenticator, token)     # edge_proxy.auth: Identity, or Refused with a sentence
    account = accounts.of(identity)                    # tenancy.accounts: once per session, or per HTTP request
    refusal = account.admit()                          # per request: None, or what is in the way and for how long

An admitted request is handed to the dispatcher as `Ask(..., account=account)`, which tells the account when it has
ended and what it cost. Over HTTP a refusal is status 429 with `Retry-After: {refusal.retry_after_header}`; in a session
an `error` frame of code `limit` with `retry_after_ms`, and the request's `done`.
"""
