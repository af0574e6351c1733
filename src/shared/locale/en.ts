/** English, and the shape that every other language fills. Plain data: the islands get their part of it as JSON. */
export const en = {
  name: "English",
  app: {
    name: "EchoChat",
    tagline: "A calm, fast chat that runs anywhere.",
    skipToContent: "Skip to content",
    mainNavigation: "Main",
  },
  nav: {
    room: "Public room",
    login: "Log in",
    register: "Sign up",
    logout: "Log out",
    signedInAs: "Signed in as",
  },
  preferences: {
    language: "Language",
    theme: "Theme",
    themes: { system: "Auto", light: "Light", dark: "Dark" },
  },
  welcome: {
    title: "Read along, join in when you like",
    text: "This is the public room, live. Anyone may read; members write.",
  },
  room: {
    names: { public: "Public room" },
    log: "Messages in {room}",
    empty: "Nothing here yet. Be the first to say something.",
    older: "Older messages",
    beginning: "This is where the room begins.",
    latest: "Jump to the latest messages",
    historyNotice: "You are reading older messages.",
    guestNotice: "You are reading as a guest.",
    guestJoin: "Sign up to write",
    guestLogin: "or log in",
  },
  message: {
    permalink: "Link to this message, {time}",
    sending: "Sending",
    refused: "Not sent",
    retry: "Retry",
    discard: "Delete",
  },
  live: {
    newMessages: {
      one: "{n} new message",
      few: "{n} new messages",
      many: "{n} new messages",
      other: "{n} new messages",
    },
    offline: "No connection. Trying to reconnect…",
    signedOut: "You have been signed out. Your text is kept.",
    signIn: "Log in again",
    reset: "Too much has happened since this page was opened.",
    reload: "Load the room anew",
  },
  composer: {
    label: "Message",
    placeholder: "Write a message",
    send: "Send",
    hint: "Enter sends, Shift+Enter adds a line.",
    tooLong: "{n} characters too many",
  },
  account: {
    loginTitle: "Log in",
    loginLead: "Welcome back.",
    registerTitle: "Sign up",
    registerLead: "A name and a password are all it takes.",
    username: "User name",
    usernameHint: "Letters, digits and @ . + - _",
    password: "Password",
    passwordAgain: "Password again",
    loginSubmit: "Log in",
    registerSubmit: "Sign up",
    noAccount: "No account yet?",
    haveAccount: "Already have an account?",
    passwordRules: {
      relaxed: ["At least 6 characters."],
      strict: [
        "At least 8 characters, not only digits.",
        "Not a password that many people use.",
        "Not too similar to your user name.",
      ],
    },
    faults: {
      credentialsMissing: "Enter your user name and password.",
      credentialsWrong: "Wrong user name or password.",
      nameMissing: "Enter a user name.",
      nameTaken: "This name is already taken.",
      nameCharacters: "Use only letters, digits and @ . + - _ in your name.",
      nameTooLong: "The name may have at most 150 characters.",
      passwordMissing: "Enter the password twice.",
      passwordsDiffer: "The two passwords differ.",
      passwordWeak: "This password is too weak.",
      tooManyAttempts: "Too many attempts. Try again in {n} s.",
    },
  },
  refusals: {
    bad_request: "The server did not understand this.",
    blank: "Write something first.",
    too_long: "The message is too long: at most {n} characters.",
    bad_characters: "The message contains characters that cannot be stored.",
    login_required: "Log in to write.",
    not_found: "There is no such room or message.",
    rate_limited: "You are writing very fast. Wait {n} s.",
    key_reused: "This form was already used for another message. Send again.",
    unavailable: "The server cannot store messages right now. Try again soon.",
  },
  errors: {
    home: "Back to the room",
    403: { title: "That did not come from this page", text: "Go back, reload the page and try again." },
    404: { title: "Nothing here", text: "The page does not exist, or is not for you." },
    405: { title: "Not like that", text: "This address does not answer this kind of request." },
    413: { title: "Too large", text: "The server does not accept that much at once." },
    422: { title: "Something is missing", text: "The form was not filled in as expected." },
    500: { title: "Our mistake", text: "Something went wrong on the server. It has been noted." },
  },
} as const;

/** The same keys with any text: a language that lacks one does not compile. */
type Translated<T> = T extends string
  ? string
  : T extends readonly string[]
    ? readonly string[]
    : { readonly [K in keyof T]: Translated<T[K]> };

export type Catalog = Translated<typeof en>;
