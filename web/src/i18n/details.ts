// Texts of the views behind the overview.
export const detailTexts = {} as const;
