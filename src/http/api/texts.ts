/** What existing clients of the API show to people. These texts are part of the wire and stay Russian. */
import type { NameFault } from "../../accounts/names.ts";
import type { RegistrationFault } from "../../accounts/accounts.ts";
import { USERNAME_MAX_LENGTH } from "../../shared/limits.ts";

export interface Fault {
  error: string;
  errors: Record<string, string[]>;
}

export const EMPTY_BODY = fault("body", "Неверное тело запроса", "Пустое тело запроса");
export const CREDENTIALS_MISSING = fault("credentials", "Требуются логин и пароль", "Укажите логин и пароль");
export const CREDENTIALS_WRONG = fault(
  "credentials",
  "Неверный логин или пароль",
  "Неверный логин или пароль",
);

// The "c" before "полями" is the Latin letter, as it always was.
export const REGISTER_USAGE = "Используйте POST c полями username, password1, password2";

export const TOO_MANY_ATTEMPTS = "Too many attempts";
export const LOGIN_REQUIRED = "Требуется авторизация";

export const PASSWORD_RULES = {
  relaxed: ["Ваш пароль должен содержать как минимум 6 символов."],
  strict: [
    "Пароль не должен быть слишком похож на другую вашу личную информацию.",
    "Ваш пароль должен содержать как минимум 8 символов.",
    "Пароль не должен быть слишком простым и распространенным.",
    "Пароль не может состоять только из цифр.",
  ],
};

export function registrationFault(refused: RegistrationFault): Fault {
  switch (refused.fault) {
    case "missing":
      return refused.field === "username"
        ? fault("username", "Требуется имя пользователя", "Укажите имя пользователя")
        : fault("password", "Требуется пароль", "Укажите пароль");
    case "taken":
      return fault("username", "Имя пользователя уже занято", "Это имя уже используется");
    case "differ":
      return fault("password", "Пароли не совпадают", "Пароли не совпадают");
    case "weak": {
      const weak = fault("password", "Пароль слишком слабый", "Пароль слишком слабый");
      return refused.name
        ? { ...weak, errors: { ...weak.errors, username: [nameText(refused.name)] } }
        : weak;
    }
    case "bad":
      return fault("username", nameText(refused.name), nameText(refused.name));
  }
}

function nameText(name: NameFault): string {
  switch (name.fault) {
    case "blank":
      return "Обязательное поле.";
    case "characters":
      return "Введите правильное имя пользователя. Оно может содержать только буквы, цифры и знаки @/./+/-/_.";
    case "too_long":
      return `Убедитесь, что это значение содержит не более ${USERNAME_MAX_LENGTH} символов (сейчас ${name.length}).`;
  }
}

function fault(field: string, error: string, message: string): Fault {
  return { error, errors: { [field]: [message] } };
}
