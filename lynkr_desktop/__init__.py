"""Lynkr Desktop: a local proxy in the tray that lets coding programs use any language model. The map of the house:

    __main__        parses the command line            app        the desktop program put together; knows which loop is whose
    headless        the same engine without Qt         startup    settings, environment and `.env` in their order
    hosts           the engine in a thread, or not     self_check an installation tested from inside
    command_line    asks the running program from a terminal, without Qt
    errors          who must act, and what next        logs       one redactor before every line
    traces          requests as spans, where asked for
    json_reader     untrusted JSON, one level at a time, undecoded parts untouched

    config/         what the user decided: settings (frozen, versioned), their file, environment, secrets, places
    engine/         the proxy; never imports Qt
        api         what the window may ask            service    wires the rooms together, holds no policy
        server      the door in: token, Host, Origin   admin/     health, lists, usage, metrics: only read; `control` changes
        doorkeeper  whose token opens which door
        surfaces    which path speaks which wire       pipeline   the story of one request
        exchange    one request's life                 attempts   a route's targets, one after the other
        choosing    the score's route, held to its session
        learning    the learners that are switched on  lessons    the ledger replayed, each learner's effect
        plan        settings in the form requests use  prepare    request and target → call, and what is lost
        answer      a provider's answer as events      delivery   an answer on its way to its client
        relay       bytes and events to the client     counting   tokens, exact or estimated
        sign_in     signatures and tokens that some providers want before a call
        upstream    the door out: timeouts, failures   http1      HTTP/1.1 as a client
        metering    usage and cost                     tokens     an estimate in no time; `tokenizer` counts, off the path
        embedding   requests for vectors               vectors    the built-in embedding model, for every room
        tally       today's sums                       probe      real calls that are nobody's request
        model_watch what servers here tell of models
        bus events  what happens, told synchronously   tasks      the only place where tasks are made
        chat/       the canonical conversation: request, stream events with their grammar, response
        wire/       one package per vendor format, between that and chat; framing in `sse`
        providers/  the catalogue (THE table), keys, addresses, model facts, the built-in model, the user's own Codex
        routing/    facts → score → tier → route, each with its reason in words; pins; learners/
        resilience/ again, next target or stop; breakers, health, the order of targets; budgets
        store/      the ledger: one writer into SQLite, or into a PostgreSQL that several share, with a journal that outlives
                    a kill; queries for the window, savings
        data/       prices, abilities, templates, routing weights: dated, made by scripts in `packaging/`
    ui/             tray, window, pages; sees the engine through `desk` (a protocol) and `bridge` (its only crossing);
                    sentences in `text` and its siblings, in the language of `language`

One request goes: server → surfaces → wire.parse_request → routing → attempts (prepare → upstream → answer) → delivery → relay
→ server; its exchange is then told on the bus, from where the ledger and the window take it. Imports run downwards only; the
contracts in `pyproject.toml` keep it so.
"""

__version__ = "0.1.0"
