/** Letters that a password has at least: what the API asks for, so that a form can say it before. */
export const PASSWORD_LENGTH = 10;
